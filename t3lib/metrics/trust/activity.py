"""The state of each truck today, and its last sale."""

from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.comparison import typical_by_hour_and_truck
from t3lib.metrics.sales.totals import TRUCKS_WITH_FILES, by_hour_and_truck, by_truck
from t3lib.metrics.scope import Scope
from t3lib.metrics.trust.quality import complete_until
from t3lib.settings import settings

SILENT_HOURS = 2

_LAST_SEEN = f"""{TRUCKS_WITH_FILES}
SELECT truck_id, (SELECT max(last_sale_at) FROM mart.file
                  WHERE state = 'loaded' AND file.truck_id = truck_with_file.truck_id) AS last_sale_at
FROM truck_with_file WHERE truck_id IS NOT NULL"""


def truck_states(db: sa.Connection, business_date: date) -> pd.DataFrame:
    """One row per truck: truck_id, last_sale_at (UTC, of any day), state.

    trading: sold in the last two complete hours of the fleet, or since; silent: it did not, although it usually does
    in these hours on the same weekdays before; off: it neither did nor usually does.
    For a day that is over, trading means that it sold, silent that it did not but usually does.

    >>> metrics.ask(metrics.truck_states, date(2026, 11, 4))[["truck_id", "state"]]
      truck_id    state
    0        1  trading
    1        6      off
    """
    until = complete_until(db, business_date)
    day = Scope(business_date, business_date)
    start = settings().business_day_start.hour
    now = 24 if until is None else (until - start) % 24
    since = 0 if until is None else max(0, now - SILENT_HOURS)
    seen: dict[int, datetime] = {row[0]: row[1] for row in db.execute(sa.text(_LAST_SEEN))}
    sold = _sold(by_hour_and_truck(db, day), since, 24, start)
    usual = _sold(typical_by_hour_and_truck(db, day), since, now, start)
    rows = [
        (
            truck_id,
            seen.get(truck_id),
            "trading" if sold.get(truck_id) else "silent" if usual.get(truck_id) else "off",
        )
        for truck_id in by_truck(db, day)["truck_id"]
    ]
    return pd.DataFrame(rows, columns=["truck_id", "last_sale_at", "state"], dtype=object)


def _sold(frame: pd.DataFrame, since: int, until: int, start: int) -> dict[int, int]:
    """Pence by truck in hours [since, until) of the business day."""
    order = (frame["local_hour"].astype(int) - start) % 24
    inside = frame[(order >= since) & (order < until)]
    pence: dict[int, int] = inside.groupby("truck_id")["gross_sales_pence"].sum().to_dict()
    return pence
