"""The likely explanation of an unusual day: missing files, hours, place, number and size of sales."""

from collections.abc import Sequence
from datetime import date
from statistics import median

import sqlalchemy as sa

from t3lib.metrics.sales.comparison import change_pct
from t3lib.metrics.scope import Scope, bound
from t3lib.warehouse.files import rulesets
from t3lib.warehouse.files.file_outcomes import NOT_LOADED

CLEAR_PCT = 8  # a smaller change in the number or size of sales explains nothing

_DAYS = sa.text("""
    SELECT business_date, count(DISTINCT local_hour) AS hours, sum(transactions) AS transactions,
           sum(total_pence) AS pence, array_agg(DISTINCT location.name) AS places
    FROM mart.sales_hourly LEFT JOIN core.location USING (location_id)
    WHERE truck_id = :truck AND business_date = ANY(CAST(:days AS date[]))
      AND (local_hour - :day_start + 24) % 24 < :hours
    GROUP BY business_date""")
_FILES = sa.text("""
    SELECT batch_date, count(*) FILTER (WHERE state = 'loaded') AS loaded,
           count(*) FILTER (WHERE state = ANY(:not_loaded)) AS refused
    FROM mart.file WHERE kind = 'sales' AND truck_id = :truck AND batch_date = ANY(CAST(:days AS date[]))
    GROUP BY batch_date""")
_REJECTED = sa.text("""
    SELECT reason, sum(rows) AS rows FROM mart.rejected_daily
    WHERE business_date = :day GROUP BY reason ORDER BY rows DESC, reason LIMIT 1""")


def likely_explanation(db: sa.Connection, scope: Scope, weeks: Sequence[date], kind: str, truck_id: int | None) -> str:
    """The likely explanation of how the scope's last day differs from these days; empty if the data show none."""
    if kind == "rejects_up":
        row = db.execute(_REJECTED, {"day": scope.last}).one_or_none()
        words = rulesets.sentences(db, scope.last, scope.last)
        return f"Most frequent ({row.rows:,}): {words.get(row.reason, row.reason)}" if row else ""
    if truck_id is None or kind == "card_reader":  # it needs no further reason
        return ""
    days = {"truck": truck_id, "days": [scope.last, *weeks], "not_loaded": list(NOT_LOADED)}
    missing = _missing_files(db, scope, weeks, days)
    if kind == "silent":
        return missing or "Its files arrived without a sale in them."
    return (missing if kind == "sales_low" else "") or _trading(db, scope, weeks, days)


def _missing_files(db: sa.Connection, scope: Scope, weeks: Sequence[date], days: dict[str, object]) -> str:
    """Missing files, as a sentence; empty while the day still trades."""
    if scope.until_hour is not None:
        return ""
    found = {row.batch_date: row for row in db.execute(_FILES, days)}
    now = found.get(scope.last)
    usual = round(median(found[week].loaded if week in found else 0 for week in weeks))
    loaded, refused = (now.loaded, now.refused) if now else (0, 0)
    if refused:
        return f"{refused} of its files {'was' if refused == 1 else 'were'} not loaded."
    if usual and not loaded:
        return f"None of its usual {usual} files arrived: it did not trade, or they are missing." if usual > 1 else (
            "Its usual file did not arrive: it did not trade, or the file is missing."
        )  # fmt: skip
    return f"{loaded} of its usual {usual} files arrived." if loaded < usual else ""


def _trading(db: sa.Connection, scope: Scope, weeks: Sequence[date], days: dict[str, object]) -> str:
    """Hours, then place, then number and size of sales."""
    found = {row.business_date: row for row in db.execute(_DAYS, bound(scope) | days)}
    now, before = found.get(scope.last), [found[week] for week in weeks if week in found]
    if now is None or not before:
        return ""
    hours = round(median(row.hours for row in before))
    if abs(now.hours - hours) >= 2:
        unit = "hour" if now.hours == 1 else "hours"
        return f"It sold in {now.hours} {unit} of the day; usually in {hours}."
    places = {place for row in before for place in row.places}
    if new := sorted(place for place in now.places if place and place not in places):
        return f"It was at {new[0]}, where it was not on the same weekdays before."
    number = change_pct(now.transactions, median(row.transactions for row in before)) or 0
    size = change_pct(now.pence / now.transactions, median(row.pence / row.transactions for row in before)) or 0
    changes = [_change(number, "more sales", "fewer sales"), _change(size, "larger sales", "smaller sales")]
    text = " and ".join(filter(None, changes))
    return f"{text[:1].upper()}{text[1:]} in the same hours." if text else ""


def _change(pct: float, up: str, down: str) -> str:
    return "" if abs(pct) < CLEAR_PCT else f"{up if pct > 0 else down} ({pct:+.0f}%)".replace("-", "−")
