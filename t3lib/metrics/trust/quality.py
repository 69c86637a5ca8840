"""How fresh and how complete the figures are."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.display import Figures
from t3lib.metrics.scope import Scope, bound
from t3lib.settings import settings
from t3lib.warehouse.files.file_outcomes import NOT_LOADED


@dataclass(frozen=True)
class Freshness(Figures):
    """`version` grows with every change of any figure; both stamps are UTC, None before the first load."""

    version: int
    loaded_at: datetime | None
    last_sale_at: datetime | None


@dataclass(frozen=True)
class DataQuality(Figures):
    """Files and rows behind a scope; rows_read = rows_loaded + rows_rejected."""

    files: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def rejected_pct(self) -> float | None:
        """Share of the rows read that were not loaded."""
        return 100 * self.rows_rejected / self.rows_read if self.rows_read else None


def freshness(db: sa.Connection) -> Freshness:
    """The version of the figures, when they were loaded, and the time of the last sale, both UTC.

    >>> metrics.ask(metrics.freshness).last_sale_at.isoformat()
    '2026-11-05T14:15:00+00:00'
    """
    row = db.execute(sa.text("SELECT version, loaded_at, last_sale_at FROM mart.watermark")).one()
    return Freshness(*row)


def complete_until(db: sa.Connection, business_date: date, now: datetime | None = None) -> int | None:
    """The `until_hour` that makes a day comparable with the days before.

    None for a day that is over. For the day that is trading: the local hour of its last sale, because only
    the hours before it are complete; the first hour of the business day while it has no sale.

    >>> metrics.ask(metrics.complete_until, date(2026, 11, 5)) is None
    True
    """
    if business_date < business_day.today(now):
        return None
    last = freshness(db).last_sale_at
    if last is None or business_day.business_date(last) < business_date:
        return settings().business_day_start.hour
    return last.astimezone(settings().zone).hour


# A file belongs to these days if its batch or one of its sales does. Takes the parameters of `with_moments`.
OF_THESE_DAYS = """kind IN ('sales', 'history')
  AND (batch_date BETWEEN :first AND :last OR (first_sale_at < :until AND last_sale_at >= :since))
  AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))"""
_FILES = f"SELECT count(*) FROM mart.file WHERE state = 'loaded' AND {OF_THESE_DAYS}"
_LOADED = """
SELECT coalesce(sum(transactions), 0)::bigint FROM mart.sales_hourly
WHERE business_date BETWEEN :first AND :last
  AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))"""
_REJECTED = """
SELECT reason, sum(rows)::bigint AS rows FROM mart.rejected_daily
WHERE business_date BETWEEN :first AND :last
  AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
GROUP BY reason ORDER BY rows DESC, reason"""


def data_quality(db: sa.Connection, scope: Scope) -> DataQuality:
    """Loaded files with a sale of these days, and the rows of these days, loaded or rejected.

    Only days and trucks of the scope count, because a rejected row has no reliable place, payment or hour. A rejected
    row without a readable day counts for the day of its batch.

    >>> metrics.ask(metrics.data_quality, week)
    DataQuality(files=3, rows_read=5, rows_loaded=4, rows_rejected=1, rejected={'void': 1})
    """
    parameters = with_moments(scope)
    files = db.execute(sa.text(_FILES), parameters).scalar_one()
    loaded = db.execute(sa.text(_LOADED), parameters).scalar_one()
    rejected: dict[str, int] = {row[0]: row[1] for row in db.execute(sa.text(_REJECTED), parameters)}
    refused = sum(rejected.values())
    return DataQuality(files, loaded + refused, loaded, refused, rejected)


_FILES_BY_TRUCK = f"""
WITH files AS (
    SELECT truck_id, state, rows_read, rows_rejected FROM mart.file WHERE truck_id IS NOT NULL AND {OF_THESE_DAYS}
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       count(*) FILTER (WHERE state = 'loaded') AS files,
       count(*) FILTER (WHERE state = ANY(:not_loaded)) AS files_not_loaded,
       coalesce(sum(rows_read) FILTER (WHERE state = 'loaded'), 0)::bigint AS rows_read,
       coalesce(sum(rows_rejected) FILTER (WHERE state = 'loaded'), 0)::bigint AS rows_rejected
FROM files LEFT JOIN core.truck USING (truck_id)
GROUP BY truck_id, truck.name ORDER BY truck_id"""


def files_by_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck with a file of these days: truck_id, truck, files, files_not_loaded, rows_read, rows_rejected.

    Rows of whole files are counted, so a history file counts with all of its days. Days and trucks of the scope count.

    >>> metrics.frame("files_by_truck", week)[["truck", "files", "rows_read", "rows_rejected"]]
                 truck  files  rows_read  rows_rejected
    0  Burrito Madness      2          3              0
    1    SuperSmoothie      1          2              1
    """
    result = db.execute(sa.text(_FILES_BY_TRUCK), with_moments(scope) | {"not_loaded": list(NOT_LOADED)})
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def with_moments(scope: Scope) -> dict[str, Any]:
    """The scope as parameters of a query on files: as `bound`, and the moments `since` and `until`."""
    return bound(scope) | {
        "since": business_day.bounds(scope.first)[0],
        "until": business_day.bounds(scope.last)[1],
    }
