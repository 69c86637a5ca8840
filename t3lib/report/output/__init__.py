"""From an executed report to a mail, a PDF and the outbox."""
