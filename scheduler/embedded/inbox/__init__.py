"""A mail sink on loopback: keeps each mail as an .eml file and shows them as a page."""
