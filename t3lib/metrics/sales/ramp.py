"""The ramp of new trucks: sales by week since the first sale."""

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.totals import half_up
from t3lib.metrics.scope import SCOPED, Scope, bound

WEEKS = 12
# A truck that sold in the first weeks of the data may have sold before them, so its first sale is unknown.
KNOWN_AFTER_DAYS = 28

_RAMP = (
    SCOPED
    + """,
began AS (
    SELECT truck_id, min(business_date) AS first_sale_on
    FROM mart.sales_hourly WHERE business_date <= :last GROUP BY truck_id
),
newcomer AS (
    SELECT truck_id, first_sale_on FROM began
    WHERE first_sale_on >= :first AND first_sale_on >= (SELECT min(first_sale_on) FROM began) + :known_after
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
),
week AS (
    SELECT truck_id, first_sale_on, ramp_week, first_sale_on + 7 * (ramp_week - 1) AS week_first
    FROM newcomer CROSS JOIN generate_series(1, CAST(:weeks AS integer)) AS ramp_week
    WHERE first_sale_on + 7 * ramp_week - 1 <= :last
),
day AS MATERIALIZED (
    SELECT truck_id, business_date, sum(transactions) AS transactions, sum(total_pence) AS pence
    FROM sales GROUP BY truck_id, business_date
),
own AS (
    SELECT week.truck_id, ramp_week, count(*) AS trading_days, sum(transactions) AS transactions, sum(pence) AS pence
    FROM week JOIN day ON day.truck_id = week.truck_id AND business_date BETWEEN week_first AND week_first + 6
    GROUP BY week.truck_id, ramp_week
),
others AS (
    SELECT week_first, sum(pence) AS pence, count(DISTINCT day.truck_id) AS trucks
    FROM (SELECT DISTINCT week_first FROM week) AS week
    JOIN day ON business_date BETWEEN week_first AND week_first + 6
    WHERE day.truck_id NOT IN (SELECT truck_id FROM newcomer)
    GROUP BY week_first
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck, first_sale_on,
       ramp_week, coalesce(own.trading_days, 0) AS trading_days, coalesce(own.transactions, 0)::bigint AS transactions,
       coalesce(own.pence, 0)::bigint AS gross_sales_pence, coalesce(others.pence, 0)::bigint AS others_pence,
       coalesce(others.trucks, 0) AS others_trucks
FROM week LEFT JOIN own USING (truck_id, ramp_week) LEFT JOIN others USING (week_first)
LEFT JOIN core.truck USING (truck_id)
ORDER BY first_sale_on, truck_id, ramp_week"""
)


def ramp(db: sa.Connection, scope: Scope, weeks: int = WEEKS) -> pd.DataFrame:
    """One row per truck and week since its first sale: truck_id, truck, first_sale_on, ramp_week (1 begins on the day
    of the first sale), trading_days, transactions, gross_sales_pence, established_pence (mean of the established
    trucks that sold in the same seven days; missing without any) and ramp_pct (percent of that mean).

    Only trucks whose first sale is in the scope and at least 28 days after the first day of data; complete weeks only.

    >>> metrics.frame("ramp", week).empty  # no truck began in this week
    True
    """
    result = db.execute(sa.text(_RAMP), bound(scope) | {"weeks": weeks, "known_after": KNOWN_AFTER_DAYS})
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    pairs = zip(frame.pop("others_pence").map(int), frame.pop("others_trucks").map(int), strict=True)
    established = pd.array([half_up(*pair) for pair in pairs], "Int64")
    sold = zip(frame["gross_sales_pence"].map(int), established, strict=True)
    parts = [None if pd.isna(usual) or not usual else 100 * pence / usual for pence, usual in sold]
    return frame.assign(established_pence=established, ramp_pct=pd.array(parts, "Float64"))
