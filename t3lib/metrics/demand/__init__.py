"""What is wanted where and when, and at which price."""
