"""Commands for the trucks' files and their rows."""
