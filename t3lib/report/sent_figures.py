"""The figures of the report mails that were sent before."""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from t3lib.editions import Edition
from t3lib.metrics import Totals
from t3lib.report import words
from t3lib.settings import settings

_LATEST = sa.text("""
    SELECT revision, max(prepared_at) AS made_at, max(gross_sales_pence) AS gross_sales_pence,
           max(transactions) AS transactions, max(contribution_pence) AS contribution_pence
    FROM ops.mail_outbox
    WHERE report = :report AND edition = :edition AND business_date = :day AND state IN ('sent', 'unknown')
      AND gross_sales_pence IS NOT NULL
    GROUP BY revision
    ORDER BY revision DESC LIMIT 1""")
_MADE = sa.text("""
    SELECT max(prepared_at) FROM ops.mail_outbox
    WHERE report = :report AND edition = :edition
      AND business_date = (SELECT max(business_date) FROM ops.mail_outbox
                           WHERE report = :report AND edition = :edition AND business_date < :day)""")


@dataclass(frozen=True)
class Sent:
    """The headline figures of the latest revision that was sent."""

    revision: int
    made_at: datetime
    gross_sales_pence: int
    transactions: int
    contribution_pence: int | None = None


def latest(db: sa.Connection, one: Edition, day: date) -> Sent | None:
    """The figures last sent to an edition's readers for the period that ends with a day; None without a sent mail."""
    row = db.execute(_LATEST, _key(one, day)).one_or_none()
    return Sent(*row) if row else None


def made_at(db: sa.Connection, one: Edition, *, before: date) -> datetime | None:
    """When the edition's report of the period before was made; None without one."""
    return db.execute(_MADE, _key(one, before)).scalar()


def correction(before: Sent | None, now: Totals, left_now: int | None) -> str:
    """What the sent report said, where the figures have changed since; empty otherwise. left_now: the contribution."""
    if before is None:
        return ""
    is_same = (before.gross_sales_pence, before.transactions) == (now.gross_sales_pence, now.transactions)
    left = before.contribution_pence
    if is_same and left in (None, left_now):
        return ""
    made = before.made_at.astimezone(settings().zone)
    when = f"Corrected: the report made at {made:%H:%M} on {made:%A} {made.day} {made:%B} said"
    if is_same and left is not None:
        return f"{when} that {words.pounds(left)} was left after costs; menus or costs have changed since."
    sales = f"{before.transactions:,} {'sale' if before.transactions == 1 else 'sales'}"
    return f"{when} {words.pounds(before.gross_sales_pence)} from {sales}; files or rows have changed since."


def _key(one: Edition, day: date) -> dict[str, object]:
    return {"report": one.report, "edition": one.name, "day": day}
