"""The mails of the outbox, each with a link that sends it."""

import sqlalchemy as sa

from t3lib.dashboard.html.cards import Cell
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
_HEAD = ("State", "Subject", "Business day", "Recipient", "Attempts", "Prepared", "Server's reply", "")
_SEND = dict.fromkeys(("sent", "failed", "unknown", "cancelled"), "Send again") | {"waiting": "Send"}


def card(db: sa.Connection, choices: Choices) -> str:
    """The mails of this choice: first those that were not sent, then the newest."""
    found, shown = lists.read(db, _MAILS, choices, "mails")
    rows = [
        (mail.state, cells.shorter(mail.subject, 80), mail.business_date, cells.shorter(mail.recipient, 50),
         mail.attempts, mail.prepared_at, cells.shorter(mail.reply, 100),
         _request_link(choices, mail))
        for mail in found
    ]  # fmt: skip
    return cells.card("Mails", _HEAD, rows, numbers=(4,), nothing="No mail in this choice.",
                      foot=lists.foot(choices, shown))  # fmt: skip


def _request_link(choices: Choices, mail: sa.Row) -> Cell | str:
    if mail.state not in _SEND:
        return ""
    return cells.request_links(choices, ("resend", _SEND[mail.state], {"mail": mail.mail_id}))
