"""Files of card providers and bank statements, and matching them with the sales: pure functions, no database."""
