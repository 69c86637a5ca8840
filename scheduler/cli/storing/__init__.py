"""Commands for the database and the archive."""
