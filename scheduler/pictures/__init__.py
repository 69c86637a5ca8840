"""Pictures of pages and mails, for the README and for people who look them over."""
