"""The mails: which left, which did not, and which may have."""

import sqlalchemy as sa

from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices

_MAILS = sa.text("""
    SELECT count(*) OVER () AS of_all,
           mail_id, state, subject, business_date, recipient, attempts, prepared_at, coalesce(reply, '') AS reply
    FROM ops.mail_outbox
    WHERE prepared_at >= :since AND prepared_at < :until AND (:every OR state = ANY(:states))
    ORDER BY state IN ('sent', 'cancelled'), prepared_at DESC, mail_id DESC
    LIMIT :most OFFSET :skip
""")
_HEAD = ("State", "Subject", "Of", "Recipient", "Tries", "Made", "Server's reply", "")
_SEND = dict.fromkeys(("sent", "failed", "unknown", "cancelled"), "Send again") | {"waiting": "Send"}


def card(db: sa.Connection, choices: Choices) -> str:
    """Those that need a look first, then the newest."""
    found, shown = lists.read(db, _MAILS, choices, "mails")
    rows = [
        (mail.state, cells.shorter(mail.subject, 80), mail.business_date, cells.shorter(mail.recipient, 50),
         mail.attempts, mail.prepared_at, cells.shorter(mail.reply, 100),
         cells.offers(choices, ("resend", _SEND[mail.state], {"mail": mail.mail_id})) if mail.state in _SEND else "")
        for mail in found
    ]  # fmt: skip
    return cells.card("Mails", _HEAD, rows, numbers=(4,), nothing="No mail in this choice.",
                      foot=lists.foot(choices, shown))  # fmt: skip
