"""Commands that try a notebook or a rule without changing a figure."""
