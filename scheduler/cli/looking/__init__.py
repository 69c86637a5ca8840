"""Commands that show and check the state of things."""
