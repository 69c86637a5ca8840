"""What every HTTP server of T3 shares."""
