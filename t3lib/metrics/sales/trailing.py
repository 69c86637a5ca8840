"""Sales of the last twelve months, and of the twelve before, by truck."""

from dataclasses import replace

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.concentration import truck_shares
from t3lib.metrics.sales.periods import periods_until
from t3lib.metrics.sales.totals import by_truck, data_range
from t3lib.metrics.scope import SCOPED, Scope, bound

MONTHS = 12

_BY_MONTH = (
    SCOPED
    + """,
day AS (
    SELECT truck_id, business_date, sum(transactions) AS transactions, sum(total_pence) AS total_pence
    FROM sales GROUP BY truck_id, business_date
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       CAST(date_trunc('month', business_date) AS date) AS period_first, count(*) AS trading_days,
       sum(transactions)::bigint AS transactions, sum(total_pence)::bigint AS gross_sales_pence
FROM day LEFT JOIN core.truck USING (truck_id)
GROUP BY truck_id, truck.name, period_first ORDER BY truck_id, period_first"""
)


def trailing_months(db: sa.Connection, scope: Scope, months: int = MONTHS) -> pd.DataFrame:
    """One row per truck and month with a sale, over the calendar months up to the scope's last day: truck_id, truck,
    period_first, trading_days, transactions, gross_sales_pence. The last month ends with that day.

    >>> metrics.frame("trailing_months", week)[["truck", "period_first", "trading_days", "gross_sales_pence"]]
                 truck period_first  trading_days  gross_sales_pence
    0  Burrito Madness   2026-10-01             3               2100
    1  Burrito Madness   2026-11-01             2               2100
    2    SuperSmoothie   2026-10-01             3               1497
    3    SuperSmoothie   2026-11-01             1                499
    """
    result = db.execute(sa.text(_BY_MONTH), bound(periods_until(scope, "month", months)))
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def trailing_by_truck(
    db: sa.Connection, scope: Scope, months: int = MONTHS, by_month: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row per truck with a sale in these months or in those a year before, the largest first: truck_id, truck,
    trailing_pence, trailing_share_pct, trailing_months (with a sale), trailing_before_pence (a year before; missing
    if the data begin later). `by_month` are the `trailing_months` of the scope, where they are known already.

    >>> metrics.frame("trailing_by_truck", week)[["truck", "trailing_pence", "trailing_before_pence"]]
                 truck  trailing_pence  trailing_before_pence
    0  Burrito Madness            4200                   <NA>
    1    SuperSmoothie            1996                   <NA>
    """
    now = periods_until(scope, "month", months)
    earlier, recorded = year_before(now), data_range(db)
    frame = truck_shares(db, now).rename(
        columns={"gross_sales_pence": "trailing_pence", "share_pct": "trailing_share_pct"}
    )
    counted = (trailing_months(db, scope, months) if by_month is None else by_month)["truck_id"].value_counts()
    frame["trailing_months"] = frame["truck_id"].map(counted).fillna(0).astype("int64")
    if recorded and recorded[0] <= earlier.first:
        before = by_truck(db, earlier).set_index("truck_id")["gross_sales_pence"]
        frame["trailing_before_pence"] = frame["truck_id"].map(before).fillna(0).astype("Int64")
    else:
        frame["trailing_before_pence"] = pd.array([pd.NA] * len(frame), "Int64")
    sold = (frame["trailing_pence"] > 0) | (frame["trailing_before_pence"].fillna(0) > 0)
    columns = ["truck_id", "truck", "trailing_pence", "trailing_share_pct", "trailing_months", "trailing_before_pence"]
    return frame.loc[sold, columns].reset_index(drop=True)


def year_before(scope: Scope) -> Scope:
    """The same dates a year before; the 29th of February becomes the 28th.

    >>> str(metrics.year_before(week).first)
    '2025-11-02'
    """
    leap = scope.last.month == 2 and scope.last.day == 29
    last = scope.last.replace(year=scope.last.year - 1, day=28 if leap else scope.last.day)
    first = scope.first.replace(year=scope.first.year - 1) if scope.first.day == 1 else None
    return replace(scope, first=first or last - (scope.last - scope.first), last=last)
