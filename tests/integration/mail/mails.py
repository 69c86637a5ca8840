"""A small report in the outbox, and what became of it."""

from datetime import date
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from t3lib import mail, warehouse

DAY = date(2026, 11, 5)


def prepared(recipient="hiram@t3.example", **changes):
    """mail_id of a small report in the outbox."""
    message = EmailMessage()
    message["From"], message["Subject"] = "T3 <reports@t3.example>", "Sales on Thursday"
    message.set_content("Sales £1,234.50\n", cte="quoted-printable")
    key: dict[str, Any] = {"report": "daily", "business_date": DAY, "edition": "cfo"} | changes
    with warehouse.connect() as db:
        return mail.prepare(db, message, recipient, **key)


def stored(mail_id):
    """(the mail's row, its message) as the outbox holds them."""
    with warehouse.connect() as db:
        return mail.read(db, mail_id)


def state(mail_id):
    """The state of a mail: prepared, retry, sending, sent, failed or unknown."""
    return stored(mail_id)[0].state


def make_due():
    """Mails that wait for another try may leave now."""
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE ops.mail_outbox SET next_try_at = now() WHERE state = 'retry'"))
