"""What is left after costs."""
