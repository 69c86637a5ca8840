"""Who may see a page, and how they sign in."""
