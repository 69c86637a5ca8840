"""Provider files and bank statements in the database, what matching found, and people's decisions about it."""
