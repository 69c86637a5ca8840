"""The likely reason for an unusual day: missing files, hours, place, number and size of sales."""

from collections.abc import Sequence
from datetime import date
from statistics import median

import sqlalchemy as sa

from t3lib.metrics.sales.comparison import change_pct
from t3lib.metrics.scope import Scope, bound
from t3lib.warehouse.files.file_outcomes import NOT_LOADED

CLEAR_PCT = 8  # a smaller change of number or size of sales is no reason

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
    SELECT sentence, sum(rows) AS rows FROM mart.rejected_daily JOIN mart.reason ON code = reason
    WHERE business_date = :day GROUP BY reason, sentence ORDER BY rows DESC, reason LIMIT 1""")


def likely_reason(db: sa.Connection, scope: Scope, weeks: Sequence[date], kind: str, truck_id: int | None) -> str:
    """One sentence that the data support, on the scope's last day against these days; empty if there is none."""
    if kind == "rejects_up":
        row = db.execute(_REJECTED, {"day": scope.last}).one_or_none()
        return f"Most frequent ({row.rows:,}): {row.sentence}" if row else ""
    if truck_id is None or kind == "card_reader":  # it needs no further reason
        return ""
    days = {"truck": truck_id, "days": [scope.last, *weeks], "not_loaded": list(NOT_LOADED)}
    lacking = _files(db, scope, weeks, days)
    if kind == "silent":
        return lacking or "Its files came, without a sale in them."
    return (lacking if kind == "sales_low" else "") or _trading(db, scope, weeks, days)


def _files(db: sa.Connection, scope: Scope, weeks: Sequence[date], days: dict[str, object]) -> str:
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
        return f"None of its usual {usual} files came: it was out, or they are missing." if usual > 1 else (
            "Its file did not come: it was out, or it is missing."
        )  # fmt: skip
    return f"{loaded} of its usual {usual} files came." if loaded < usual else ""


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
        return f"It stood at {new[0]}, where it did not on these weekdays."
    number = change_pct(now.transactions, median(row.transactions for row in before)) or 0
    size = change_pct(now.pence / now.transactions, median(row.pence / row.transactions for row in before)) or 0
    said = [_moved(number, "more sales", "fewer sales"), _moved(size, "larger sales", "smaller sales")]
    told = " and ".join(filter(None, said))
    return f"{told[:1].upper()}{told[1:]} in the same hours." if told else ""


def _moved(pct: float, up: str, down: str) -> str:
    return "" if abs(pct) < CLEAR_PCT else f"{up if pct > 0 else down} ({pct:+.0f}%)".replace("-", "−")
