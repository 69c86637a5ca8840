"""Demand by place, menu type and hour; and dead hours, with at most one sale."""

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.scope import MENU, ON_MENU, SCOPED, Scope, bound
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

LONGEST_DAYS = 35

_DEMAND = f"""
WITH {MENU},
sold AS (
    SELECT truck_id, business_date, local_hour, (local_hour - :day_start + 24) % 24 AS hour_order, location_id,
           price_pence, transactions
    FROM mart.price_hourly
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
      AND (:all_payments OR payment_type = ANY(CAST(:payments AS text[])))
)
SELECT location_id, coalesce(location.name, 'Place ' || location_id) AS location,
       coalesce(menu_type, 'Not on the menu') AS menu_type, local_hour,
       sum(transactions)::bigint AS transactions,
       sum(transactions * sold.price_pence::bigint)::bigint AS gross_sales_pence
FROM sold
LEFT JOIN menu ON {ON_MENU}
LEFT JOIN core.location USING (location_id)
WHERE (:all_locations OR location_id = ANY(CAST(:locations AS integer[])))
  AND (:all_menus OR coalesce(menu_type, 'Not on the menu') = ANY(CAST(:menus AS text[])))
GROUP BY location_id, location.name, coalesce(menu_type, 'Not on the menu'), local_hour, hour_order
ORDER BY location_id, menu_type, hour_order"""


def demand(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per place, menu type and local hour with a sale: location_id, location, menu_type, local_hour and the
    measures. Raises ValueError for more than LONGEST_DAYS days, because it reads every hour and price.

    >>> metrics.frame("demand", week)[["location", "menu_type", "local_hour", "transactions"]]
                 location menu_type  local_hour  transactions
    0  Place not recorded   Mexican          13             1
    1       Alnfield Park    Drinks          14             1
    2       Alnfield Park   Mexican          13             2
    """
    if scope.days > LONGEST_DAYS:
        raise RefusedError(f"Demand is read by hour and price: choose at most {LONGEST_DAYS} days.")
    result = db.execute(sa.text(_DEMAND), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys()))


_DEAD = (
    SCOPED
    + """,
sold AS (
    SELECT truck_id, business_date, hour_order, sum(transactions) AS transactions
    FROM sales GROUP BY truck_id, business_date, hour_order
),
out AS (
    SELECT truck_id, business_date, generate_series(min(hour_order), max(hour_order)) AS hour_order
    FROM sold GROUP BY truck_id, business_date
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       CAST((hour_order + :day_start) % 24 AS integer) AS local_hour, count(*) AS days_out,
       count(*) FILTER (WHERE coalesce(transactions, 0) <= 1) AS dead_days,
       100.0 * count(*) FILTER (WHERE coalesce(transactions, 0) <= 1) / count(*) AS dead_share_pct
FROM out LEFT JOIN sold USING (truck_id, business_date, hour_order) LEFT JOIN core.truck USING (truck_id)
GROUP BY truck_id, truck.name, hour_order
HAVING count(*) FILTER (WHERE coalesce(transactions, 0) <= 1) > 0
ORDER BY dead_share_pct DESC, dead_days DESC, truck_id, hour_order"""
)


def dead_hours(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and local hour that was dead on some day, the worst first: truck_id, truck, local_hour,
    days_out (the hour lay between the day's first and last sale), dead_days (at most one sale), dead_share_pct.

    >>> metrics.frame("dead_hours", week)[["truck", "local_hour", "days_out", "dead_days"]]
                 truck  local_hour  days_out  dead_days
    0    SuperSmoothie          14         1          1
    1  Burrito Madness          13         2          1
    """
    with hash_joins(db):
        result = db.execute(sa.text(_DEAD), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys())).astype({"dead_share_pct": float})
