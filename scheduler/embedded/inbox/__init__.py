"""A mail sink on loopback: stores each mail as an .eml file and shows them as a page."""
