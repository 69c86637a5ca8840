"""Money for the books: VAT returns and journals."""
