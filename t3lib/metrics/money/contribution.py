"""Contribution: what is left of sales after the costs of metadata/costs.csv and the goods of metadata/menu.csv."""

from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.money.vat_by_day import VAT
from t3lib.metrics.sales.totals import half_up, totals
from t3lib.metrics.scope import Scope, bound
from t3lib.problems import RefusedError


@dataclass(frozen=True)
class Contribution(Figures):
    """Gross sales and costs, pence. `without_goods_pence` are sales at prices for which no menu item has a cost,
    `without_vat_pence` those whose rate of VAT is not known although that of others is."""

    gross_sales_pence: int
    costs: dict[str, int] = field(metadata={"unit": "_pence"})
    without_goods_pence: int
    without_vat_pence: int = 0

    @property
    def contribution_pence(self) -> int:
        """Gross sales less every cost."""
        return self.gross_sales_pence - sum(self.costs.values())

    @property
    def margin_pct(self) -> float | None:
        """Contribution as a share of gross sales."""
        return 100 * self.contribution_pence / self.gross_sales_pence if self.gross_sales_pence else None

    @property
    def card_fees_pence(self) -> int:
        """The costs of card sales (a name with `card`)."""
        return sum(pence for cost, pence in self.costs.items() if "card" in cost.lower())

    def statement(self) -> pd.DataFrame:
        """From sales to contribution: line, amount_pence (costs are negative) and of_sales_pct."""
        costs = [(name, -pence) for name, pence in self.costs.items()]
        lines = [("Sales", self.gross_sales_pence), *costs, ("Contribution", self.contribution_pence)]
        shares = [100 * pence / self.gross_sales_pence if self.gross_sales_pence else None for _, pence in lines]
        return pd.DataFrame(lines, columns=["line", "amount_pence"]).assign(of_sales_pct=shares)


def contribution(db: sa.Connection, scope: Scope) -> Contribution | None:
    """Contribution of all trucks over complete days; None without any cost.

    Costs and unit costs are those that held on each business day (docs/metadata.md). Percent and per-sale costs of a
    truck replace the fleet's of the same name; VAT is that of `vat_by_rate` and contained in gross sales, a card
    cost (a name with `card`) is a percentage of card sales, other percentages are of gross sales. A cost per day
    applies to a truck on days that it trades, to the fleet on every day; a cost per month is spread over its days.
    Each line is rounded half up to pence; lines of zero are left out.

    >>> found = metrics.ask(metrics.contribution, week)
    >>> found.costs
    {'Cost of goods': 825, 'wages': 1200, 'vat': 434, 'card_fee': 37}
    >>> found.contribution_pence
    103
    """
    if not db.execute(sa.text("SELECT EXISTS (SELECT FROM core.cost)")).scalar():
        return None
    if scope.trucks or scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        raise RefusedError("Contribution is known for the whole fleet and whole days only.")
    goods, without = db.execute(sa.text(_GOODS), bound(scope)).one()
    costs = {"Cost of goods": goods} if goods else {}
    found = {cost: int(scaled or 0) for cost, scaled in db.execute(sa.text(_COSTS), bound(scope))}
    without_vat = found.pop(None)
    costs |= {cost: half_up(scaled, 1_000_000) or 0 for cost, scaled in found.items()}
    costs = {cost: pence for cost, pence in costs.items() if pence}
    return Contribution(totals(db, scope).gross_sales_pence, costs, without, without_vat)


_GOODS = """
SELECT coalesce(sum(goods_pence), 0)::bigint, coalesce(sum(without_goods_pence), 0)::bigint
FROM mart.price_daily
WHERE business_date BETWEEN :first AND :last"""

# CTEs of queries with :first and :last. truck_day: one row per truck x day with a sale.
DAYS = """
day AS (SELECT CAST(d AS date) AS business_date FROM generate_series(:first, :last, interval '1 day') AS d),
truck_day AS (
    SELECT truck_id, business_date, sum(total_pence) AS gross, sum(transactions) AS transactions,
           coalesce(sum(total_pence) FILTER (WHERE payment_type = 'card'), 0) AS card
    FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last
    GROUP BY truck_id, business_date
)""".strip()
# sale_lines: costs that grow with sales, VAT among them, one row per truck x day x cost (x rate of VAT).
BY_SALE = f"""
{VAT},
by_sale AS (
    SELECT DISTINCT ON (truck_day.truck_id, business_date, cost) truck_day.truck_id, business_date, cost, amount,
           per, gross, transactions, card
    FROM truck_day JOIN core.cost ON business_date >= cost.from_date AND business_date < cost.to_date
         AND (cost.truck_id IS NULL OR cost.truck_id = truck_day.truck_id) AND per IN ('percent', 'sale')
    WHERE NOT (per = 'percent' AND cost ILIKE 'vat%')
    ORDER BY truck_day.truck_id, business_date, cost, cost.truck_id NULLS LAST
),
sale_lines AS (
    SELECT truck_id, business_date, cost, CASE
        WHEN per = 'sale' THEN amount * transactions
        WHEN cost ILIKE '%card%' THEN card * amount / 100
        ELSE gross * amount / 100 END AS pence
    FROM by_sale
    UNION ALL
    SELECT truck_id, business_date, 'vat', pence FROM vat_lines WHERE rate IS NOT NULL
)""".strip()
# time_lines: costs per day or month, one row per truck (null is the fleet) x day x cost.
BY_TIME = """
by_time AS (
    SELECT DISTINCT ON (cost.truck_id, business_date, cost) cost, amount, per, business_date, cost.truck_id,
           cost.truck_id IS NULL OR EXISTS (
               SELECT FROM truck_day
               WHERE truck_day.truck_id = cost.truck_id AND truck_day.business_date = day.business_date) AS out
    FROM day JOIN core.cost ON business_date >= from_date AND business_date < to_date AND per IN ('day', 'month')
    ORDER BY cost.truck_id, business_date, cost
),
time_lines AS (
    SELECT truck_id, business_date, cost, CASE
        WHEN per = 'month'
        THEN amount / extract(day FROM date_trunc('month', business_date) + interval '1 month - 1 day')
        WHEN out THEN amount
        ELSE 0 END AS pence
    FROM by_time
)""".strip()

# One row per cost: its name and its amount in millionths of a penny; without a name, the pence of sales without a rate
# of VAT although that of others is known.
_COSTS = f"""
WITH {DAYS},
{BY_SALE},
{BY_TIME},
lines AS (SELECT cost, pence FROM sale_lines UNION ALL SELECT cost, pence FROM time_lines)
SELECT cost, round(sum(pence) * 1000000)::bigint AS scaled FROM lines GROUP BY cost
UNION ALL
SELECT NULL, CASE WHEN count(rate) > 0 THEN (sum(gross) FILTER (WHERE rate IS NULL))::bigint END FROM vat_lines
ORDER BY scaled DESC, cost"""
