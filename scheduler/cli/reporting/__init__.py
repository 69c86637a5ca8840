"""Commands about reports and mails."""
