"""Commands that look and prove."""
