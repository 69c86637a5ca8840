"""Contribution by truck and day, and the sales a day at which a truck breaks even."""

from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.money.cost_lines import COST_LINES
from t3lib.metrics.scope import Scope, bound
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

# One row per truck, or truck and day, with a sale in the scope: variable and fixed costs.
_MARGINS = f"""
WITH {COST_LINES},
goods AS (
    SELECT {{keys}}, sum(goods_pence) AS pence
    FROM mart.price_daily
    WHERE business_date BETWEEN :first AND :last GROUP BY {{keys}}
),
variable AS (
    SELECT {{keys}}, sum(pence) AS pence
    FROM (SELECT * FROM sale_lines UNION ALL SELECT * FROM fee_lines UNION ALL SELECT * FROM vat_costs) AS lines
    GROUP BY {{keys}}
),
fixed AS (SELECT {{keys}}, sum(pence) AS pence FROM truck_lines GROUP BY {{keys}}),
traded AS (
    SELECT {{keys}}, count(*) AS trading_days, sum(transactions)::bigint AS transactions,
           sum(gross)::bigint AS gross_sales_pence
    FROM truck_day GROUP BY {{keys}}
)
SELECT {{keys}}, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck, trading_days,
       transactions, gross_sales_pence,
       floor(coalesce(variable.pence, 0) + coalesce(goods.pence, 0) + 0.5)::bigint AS variable_costs_pence,
       floor(coalesce(fixed.pence, 0) + 0.5)::bigint AS fixed_costs_pence
FROM traded
LEFT JOIN variable USING ({{keys}}) LEFT JOIN goods USING ({{keys}}) LEFT JOIN fixed USING ({{keys}})
LEFT JOIN core.truck USING (truck_id)
WHERE :all_trucks OR truck_id = ANY(CAST(:trucks AS integer[]))
ORDER BY {{keys}}"""


# Truck days without a sale that cost something, and the fleet's own costs (truck 0).
_NO_SALES = f"""
WITH {COST_LINES}
SELECT truck_id, business_date, 0 AS transactions, 0 AS gross_sales_pence,
       -floor(sum(pence) + 0.5)::bigint AS contribution_pence
FROM truck_lines LEFT JOIN truck_day USING (truck_id, business_date)
WHERE truck_day.hours IS NULL
GROUP BY truck_id, business_date
UNION ALL
SELECT 0, business_date, 0, 0, -floor(sum(pence) + 0.5)::bigint FROM fleet_lines GROUP BY business_date"""


def contribution_by_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck with a sale: truck_id, truck, trading_days, transactions, gross_sales_pence,
    variable_costs_pence, fixed_costs_pence, contribution_pence, margin_pct and break_even_transactions a day.

    The fleet's own costs per day or month are not in it: `contribution` has them. Complete days and all payments only.
    The break-even is missing where a sale does not cover its own costs.

    >>> metrics.frame("contribution_by_truck", week)[["truck", "contribution_pence", "break_even_transactions"]]
                 truck  contribution_pence  break_even_transactions
    0  Burrito Madness                   7                        2
    1    SuperSmoothie                  96                        1
    """
    frame = _margins(db, scope, "truck_id")
    return frame.assign(break_even_transactions=pd.array([_break_even(row) for row in frame.itertuples()], "Int64"))


def contribution_by_day_and_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and business day with a sale: business_date, truck_id, truck, transactions,
    gross_sales_pence, variable_costs_pence, fixed_costs_pence, contribution_pence and margin_pct.

    As `contribution_by_truck`; a cost per month is spread over all days of the month, with and without sales.

    >>> found = metrics.frame("contribution_by_day_and_truck", week)
    >>> found.groupby("truck", observed=True)["contribution_pence"].sum().tolist()
    [7, 96]
    """
    return _margins(db, scope, "truck_id, business_date").drop(columns="trading_days")


def contributions(db: sa.Connection, first: date, last: date) -> pd.DataFrame:
    """One row per truck and day with a sale or a cost, and per day with costs of the fleet's own (truck 0): truck_id,
    business_date, transactions, gross_sales_pence, contribution_pence."""
    scope = Scope(first, last)
    columns = ["truck_id", "business_date", "transactions", "gross_sales_pence", "contribution_pence"]
    with hash_joins(db):
        result = db.execute(sa.text(_NO_SALES), bound(scope))
    others = pd.DataFrame(result.all(), columns=list(result.keys()))
    return pd.concat([contribution_by_day_and_truck(db, scope)[columns], others[columns]], ignore_index=True)


def _margins(db: sa.Connection, scope: Scope, keys: str) -> pd.DataFrame:
    if scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        raise RefusedError("Contribution is known for whole trucks and whole days only.")
    with hash_joins(db):
        result = db.execute(sa.text(_MARGINS.format(keys=keys)), bound(scope))
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    left = frame["gross_sales_pence"] - frame["variable_costs_pence"]
    contribution = left - frame["fixed_costs_pence"]
    sold = frame["gross_sales_pence"]
    margin = (100 * contribution / sold.where(sold > 0)).astype(float)
    return frame.assign(contribution_pence=contribution, margin_pct=margin)


def _break_even(row: Any) -> int | None:
    """Sales a day that pay the day's fixed costs, rounded up."""
    left = row.gross_sales_pence - row.variable_costs_pence  # of all transactions
    if left <= 0:
        return None
    return -(-int(row.fixed_costs_pence) * int(row.transactions) // (int(left) * int(row.trading_days)))
