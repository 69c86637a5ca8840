"""Commands for trying notebooks and rules; none changes a figure."""
