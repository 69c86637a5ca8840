"""Pictures of pages and mails, for the README and for visual review."""
