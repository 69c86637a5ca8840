"""Commands about the database and the archive."""
