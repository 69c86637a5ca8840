"""Commands about the trucks' files and their rows."""
