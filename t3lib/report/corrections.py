"""Corrections: sent reports whose figures changed since, and the mail in which the operators are asked about them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from t3lib import mail, metrics
from t3lib.business_day import today
from t3lib.editions import Edition, editions
from t3lib.metrics import Scope, change_pct
from t3lib.metrics.money.contribution import contribution
from t3lib.money import pounds
from t3lib.period import of

# The latest sent revision of each report whose days were restated since, but not within the settle time.
_TOUCHED = sa.text("""
    WITH sent AS (
        SELECT DISTINCT ON (business_date) business_date, revision, prepared_at, gross_sales_pence, transactions,
               contribution_pence,
               CASE :period WHEN 'day' THEN business_date WHEN 'week' THEN business_date - 6
                            ELSE CAST(date_trunc('month', business_date) AS date) END AS first_date
        FROM ops.mail_outbox
        WHERE report = :report AND edition = :edition AND business_date >= :since AND state IN ('sent', 'unknown')
          AND gross_sales_pence IS NOT NULL
        ORDER BY business_date, revision DESC
    )
    SELECT sent.business_date, sent.gross_sales_pence, sent.transactions, sent.contribution_pence
    FROM sent
    WHERE EXISTS (SELECT FROM ops.restatement AS change WHERE change.made_at > sent.prepared_at
                  AND change.business_date BETWEEN sent.first_date AND sent.business_date)
      AND NOT EXISTS (SELECT FROM ops.restatement AS change WHERE change.made_at > :settled
                      AND change.business_date BETWEEN sent.first_date AND sent.business_date)
    ORDER BY sent.business_date""")
_BACK = sa.text("""
    UPDATE ops.mail_outbox SET state = 'cancelled', reply = 'figures moved back', finished_at = now()
    WHERE report = :report AND edition = :edition AND business_date = :day AND state = 'waiting'""")
_WAITING = sa.text("""
    SELECT mail_id, business_date, edition, report, revision, recipient, gross_sales_pence, transactions,
           contribution_pence
    FROM ops.mail_outbox WHERE mail_id = ANY(:mails) AND state = 'waiting' ORDER BY mail_id""")
_BEFORE = sa.text("""
    SELECT gross_sales_pence, transactions, contribution_pence FROM ops.mail_outbox
    WHERE report = :report AND edition = :edition AND business_date = :business_date AND revision < :revision
      AND state IN ('sent', 'unknown')
    ORDER BY revision DESC LIMIT 1""")

_HEADLINE = ("gross_sales_pence", "transactions", "contribution_pence")


@dataclass(frozen=True)
class Moved:
    """A sent report whose figures changed, with the new pence and number of sales, and contribution if it said one."""

    business_date: date
    edition: str
    gross_sales_pence: int
    transactions: int
    ask: bool
    contribution_pence: int | None = None

    @property
    def name(self) -> str:
        """A name made of the figures, so that a correction is made once for each change."""
        left = "" if self.contribution_pence is None else f"-{self.contribution_pence}"
        return f"moved-{self.gross_sales_pence}-{self.transactions}{left}"


def moved(db: sa.Connection, now: datetime, *, settle_seconds: float = 0) -> list[Moved]:
    """Recently sent reports whose sales, number of sales or contribution changed by more than `above_pct` of their
    edition.

    Only if nothing of these days changed within `settle_seconds`, so that files that arrive one by one make one
    correction. A waiting correction is cancelled when the figures have changed back."""
    settled = now - timedelta(seconds=settle_seconds)
    wanted = (one for one in editions().values() if one.correction.then != "nothing")
    return [found for one in wanted for found in _of_edition(db, one, settled)]


def notify(db: sa.Connection, mails: list[int]) -> None:
    """Notify the operators of waiting corrections: one mail for all readers of a revision."""
    waiting = list(db.execute(_WAITING, {"mails": mails}).mappings())
    if not waiting:
        return
    first = waiting[0]
    before = db.execute(_BEFORE, dict(first)).one_or_none()
    what = f"{first['edition']} report of {first['business_date']:%-d %B %Y}"
    was = f"It said {_figures(*before)}; " if before else ""
    text = (
        f"{was}{'now it is' if was else 'Now it is'} {_figures(*(first[name] for name in _HEADLINE))}.\n\n"
        "A corrected report is ready and waits for your decision. "
        f"Its readers: {', '.join(row['recipient'] for row in waiting)}.\n\n"
        f"To read it:    t3 mail show {first['mail_id']} > correction.eml\n"
        f"To send it:    t3 mail resend {first['mail_id']}\n"
        f"To drop it:    t3 mail drop {first['mail_id']}\n\n"
        f"Or press Send beside it on the operations page. The threshold is in editions.toml."
    )
    incident = f"correction {first['edition']} {first['revision']}"
    mail.notify_operators(db, incident, first["business_date"], f"{what}: figures changed, send a correction?", text)


def _of_edition(db: sa.Connection, one: Edition, settled: datetime) -> list[Moved]:
    key = {"report": one.report, "edition": one.name, "period": one.period, "settled": settled}
    since = today() - timedelta(days=one.correction.days)
    found = []
    for day, *sent, left in db.execute(_TOUCHED, key | {"since": since}):
        days = of(one.period, day)
        now = metrics.totals(db, Scope(days.first, days.last))
        pence, transactions, ask = now.gross_sales_pence, now.transactions, one.correction.then == "ask"
        pairs = list(zip((pence, transactions), sent, strict=True))
        made = None if left is None else contribution(db, Scope(days.first, days.last))
        if made and left is not None:
            pairs.append((made.contribution_pence, left))
        if any(_differs(*pair, one.correction.above_pct) for pair in pairs):
            found.append(Moved(day, one.name, pence, transactions, ask, made.contribution_pence if made else None))
        else:
            db.execute(_BACK, key | {"day": day})
    return found


def _differs(now: int, sent: int, above_pct: float) -> bool:
    pct = change_pct(now, sent)
    return now != sent if pct is None else abs(pct) > above_pct


def _figures(pence: int, transactions: int, contribution: int | None) -> str:
    left = "" if contribution is None else f", contribution {pounds(contribution)}"
    return f"{pounds(pence)} from {transactions:,} {'sale' if transactions == 1 else 'sales'}{left}"
