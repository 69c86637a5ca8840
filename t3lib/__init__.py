"""Everything that a T3 notebook calls."""
