"""Commands for reports and mails."""
