"""Plain mails to the operators: one per incident, through the same outbox."""

from datetime import date
from email.message import EmailMessage

import sqlalchemy as sa

from t3lib.mail.outbox import prepare
from t3lib.settings import settings

INCIDENT = "incident"


def notify_operators(db: sa.Connection, incident: str, day: date, subject: str, text: str) -> list[int]:
    """mail_ids of one plain mail per operator; the same incident and day make one mail."""
    message = EmailMessage()
    message["From"] = settings().mail_from
    message["Subject"] = " ".join(f"T3: {subject}".split())
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text + "\n", cte="quoted-printable")
    made = [
        prepare(db, message, address, report=INCIDENT, business_date=day, edition=incident)
        for address in settings().recipients_operations
    ]
    return list(dict.fromkeys(made))
