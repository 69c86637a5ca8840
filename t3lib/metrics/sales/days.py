"""Sales by day and truck, days with all trucks at one place, and sales by dish."""

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.totals import half_up
from t3lib.metrics.scope import ON_MENU, SCOPED, Scope, bound

_BY_DAY_AND_TRUCK = (
    SCOPED
    + """
SELECT business_date, truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       sum(transactions)::bigint AS transactions, sum(total_pence)::bigint AS gross_sales_pence
FROM sales LEFT JOIN core.truck USING (truck_id)
GROUP BY business_date, truck_id, truck.name ORDER BY business_date, truck_id"""
)


def by_day_and_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per business day and truck with a sale: business_date, truck_id, truck, transactions,
    gross_sales_pence, average_ticket_pence.

    >>> metrics.frame("by_day_and_truck", week)[["business_date", "truck", "gross_sales_pence"]]
      business_date            truck  gross_sales_pence
    0    2026-11-04  Burrito Madness                700
    1    2026-11-05  Burrito Madness               1400
    2    2026-11-05    SuperSmoothie                499
    """
    frame = _frame(db, _BY_DAY_AND_TRUCK, scope)
    pairs = zip(frame["gross_sales_pence"], frame["transactions"], strict=True)
    return frame.assign(average_ticket_pence=pd.array([half_up(*pair) for pair in pairs], "Int64"))


_GATHERINGS = (
    SCOPED
    + """
SELECT business_date, max(location.name) AS location, count(DISTINCT truck_id) AS trucks
FROM sales LEFT JOIN core.location USING (location_id)
GROUP BY business_date
HAVING count(DISTINCT location_id) = 1 AND min(location_id) > 0 AND count(DISTINCT truck_id) > 1
ORDER BY business_date"""
)


def gatherings(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per business day on which all trucks with sales were at one known place (a festival): business_date,
    location, trucks.

    >>> metrics.frame("gatherings", week)
      business_date       location  trucks
    0    2026-11-05  Alnfield Park       2
    """
    return _frame(db, _GATHERINGS, scope)


_DISHES = f"""
WITH menu AS (SELECT truck_id, price_pence, days, dish, unit_cost_pence FROM core.menu_price),
sold AS (
    SELECT truck_id, price_pence, business_date, transactions, goods_pence
    FROM mart.price_daily
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
)
SELECT sold.truck_id, coalesce(truck.name, 'Truck ' || sold.truck_id || ' (not in details.xlsx)') AS truck, dish,
       sold.price_pence,
       floor(sum(goods_pence) FILTER (WHERE unit_cost_pence IS NOT NULL)
             / nullif(sum(transactions) FILTER (WHERE unit_cost_pence IS NOT NULL), 0) + 0.5)::bigint
           AS unit_cost_pence,
       sum(transactions)::bigint AS transactions
FROM sold JOIN menu ON {ON_MENU} LEFT JOIN core.truck ON truck.truck_id = sold.truck_id
GROUP BY sold.truck_id, truck.name, dish, sold.price_pence
ORDER BY sold.truck_id, sold.price_pence, dish"""


def dishes(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck, dish and price on the menu of the sale's day: truck_id, truck, dish (all of that price),
    price_pence, unit_cost_pence (the mean of these sales; missing where metadata/menu.csv had none), transactions.

    Days and trucks of the scope count.

    >>> metrics.frame("dishes", week)[["truck", "dish", "price_pence", "unit_cost_pence", "transactions"]]
                 truck            dish  price_pence  unit_cost_pence  transactions
    0  Burrito Madness         Burrito          700              235             3
    1    SuperSmoothie  Mango smoothie          499              120             1
    """
    return _frame(db, _DISHES, scope).astype({"unit_cost_pence": "Int64"})


def _frame(db: sa.Connection, query: str, scope: Scope) -> pd.DataFrame:
    result = db.execute(sa.text(query), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys()))
