"""Rejected rows, held files, and what people decided about them."""
