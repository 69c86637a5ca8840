"""Mail that is sent at most once: an outbox in Postgres, and SMTP."""

from t3lib.mail.incident import notify_operators
from t3lib.mail.outbox import Mail, count_mails, drop, list_mails, message_id, prepare, read, resend
from t3lib.mail.sending import send_due

__all__ = [
    "Mail",
    "count_mails",
    "drop",
    "list_mails",
    "message_id",
    "notify_operators",
    "prepare",
    "read",
    "resend",
    "send_due",
]
