"""Files by truck and batch: which arrived, which are missing, and how complete a range is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.display import Figures
from t3lib.metrics.scope import Scope, bound
from t3lib.settings import settings

GRACE = timedelta(hours=1)  # a batch is missing only this long after its hour

# A truck's batch is expected if it arrived on at least two of the four same weekdays before.
_BATCHES = """
WITH arrived AS (
    SELECT truck_id, batch_date, batch_hour, bool_or(state = 'loaded') AS loaded,
           coalesce(sum(rows_read) FILTER (WHERE state = 'loaded'), 0)::bigint AS rows_read,
           coalesce(sum(rows_rejected) FILTER (WHERE state = 'loaded'), 0)::bigint AS rows_rejected
    FROM mart.file
    WHERE kind = 'sales' AND state NOT IN ('superseded', 'ignored', 'held_duplicate')
      AND batch_date BETWEEN CAST(:first AS date) - 28 AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
    GROUP BY truck_id, batch_date, batch_hour
),
expected AS (
    SELECT truck_id, CAST(day AS date) AS batch_date, batch_hour
    FROM generate_series(CAST(:first AS date), :last, interval '1 day') AS day
    JOIN arrived ON batch_date < day AND batch_date >= day - interval '28 days'
         AND extract(dow FROM batch_date) = extract(dow FROM day)
    WHERE day < :today OR day = :today AND batch_hour <= :due_hour
    GROUP BY truck_id, day, batch_hour HAVING count(*) >= 2
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       batch_date, batch_hour, coalesce(arrived.rows_read, 0) AS rows_read,
       coalesce(arrived.rows_rejected, 0) AS rows_rejected,
       CASE WHEN loaded THEN 'loaded' WHEN loaded IS NULL THEN 'missing' ELSE 'not loaded' END AS batch_state,
       expected.truck_id IS NOT NULL AS expected
FROM (SELECT * FROM arrived WHERE batch_date >= :first) AS arrived
FULL JOIN expected USING (truck_id, batch_date, batch_hour)
LEFT JOIN core.truck USING (truck_id)
ORDER BY truck_id, batch_date, batch_hour"""


@dataclass(frozen=True)
class Completeness(Figures):
    """Batches expected by now, and how many of them have no loaded file."""

    batches_expected: int
    batches_missing: int

    @property
    def complete_pct(self) -> float | None:
        """Part of the expected batches that is loaded; None where nothing is expected yet."""
        expected = self.batches_expected
        return 100 * (expected - self.batches_missing) / expected if expected else None


def batches(db: sa.Connection, scope: Scope, now: datetime | None = None) -> pd.DataFrame:
    """One row per truck and batch that arrived or was expected: truck_id, truck, batch_date, batch_hour, rows_read,
    rows_rejected, batch_state (loaded, not loaded, missing), expected. Days and trucks of the scope count.

    >>> metrics.frame("batches", week)[["truck", "batch_date", "batch_hour", "rows_read", "batch_state"]]
                 truck batch_date  batch_hour  rows_read batch_state
    0  Burrito Madness 2026-11-04          15          1      loaded
    1  Burrito Madness 2026-11-05          15          2      loaded
    2    SuperSmoothie 2026-11-05          15          2      loaded
    """
    result = db.execute(sa.text(_BATCHES), bound(scope) | _due(now or datetime.now(UTC)))
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def incomplete_days(db: sa.Connection, first: date, last: date) -> dict[date, str]:
    """Why each of these business days is not complete, in words; complete days are left out.

    >>> metrics.ask(metrics.incomplete_days, date(2026, 11, 4), date(2026, 11, 5))
    {}
    >>> metrics.ask(metrics.incomplete_days, date(2099, 1, 1), date(2099, 1, 1))
    {datetime.date(2099, 1, 1): 'it is still to come'}
    """
    today = business_day.today()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    words = {day: "it still trades" if day == today else "it is still to come" for day in days if day >= today}
    if first >= today:
        return words
    found = batches(db, Scope(first, min(last, today - timedelta(days=1))))
    is_late = found["expected"].astype(bool) & (found["batch_state"] == "missing") | (
        found["batch_state"] == "not loaded"
    )
    for day, rows in found[is_late].groupby("batch_date"):
        files = [f"truck {row.truck_id} ({row.batch_hour:02d}:00)" for row in rows.itertuples()]
        more = f" and {len(files) - 3:,} more" if len(files) > 3 else ""
        words[day] = f"files are not loaded: {', '.join(files[:3])}{more}"
    return words


def _due(now: datetime) -> dict[str, object]:
    """The business day that trades now, and the local hour up to which its batches are due."""
    day, due = business_day.today(now), now - GRACE
    hour = due.astimezone(settings().zone).hour
    begun = business_day.today(due) == day
    after_midnight = hour < settings().business_day_start.hour
    return {"today": day, "due_hour": 24 if begun and after_midnight else hour if begun else -1}


def completeness(found: pd.DataFrame) -> Completeness:
    """How complete the `batches` of a range are.

    >>> metrics.completeness(metrics.frame("batches", week))
    Completeness(batches_expected=2, batches_missing=0)
    """
    expected = found[found["expected"].astype(bool)]
    return Completeness(len(expected), int((expected["batch_state"] != "loaded").sum()))
