"""Contribution: what is left of sales after the costs of metadata/costs.csv and the goods of metadata/menu.csv."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.money.allocation import GOODS, MILLION, shares
from t3lib.metrics.money.cost_lines import COST_LINES
from t3lib.metrics.sales.totals import half_up, totals
from t3lib.metrics.scope import Scope, bound
from t3lib.warehouse import hash_joins

LABOUR = ("wage", "labour", "labor", "staff", "salar", "payroll")


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
    def labour_pence(self) -> int | None:
        """The costs of labour (a name with `wage`, `labour`, `staff`, `salar` or `payroll`); None without any."""
        found = [pence for cost, pence in self.costs.items() if is_labour(cost)]
        return sum(found) if found else None

    @property
    def labour_share_pct(self) -> float | None:
        """Labour as a share of gross sales."""
        labour = self.labour_pence
        return 100 * labour / self.gross_sales_pence if self.gross_sales_pence and labour is not None else None

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


def is_labour(cost: str) -> bool:
    """Whether a cost is one of labour, by its name."""
    return any(word in cost.lower() for word in LABOUR)


def contribution(db: sa.Connection, scope: Scope) -> Contribution | None:
    """Contribution of a scope over complete days; None without any cost in metadata/costs.csv.

    Costs, unit costs and pitch fees are those that held on each business day (docs/metadata.md). Of some trucks,
    places, menu types or payments it is what `contribution_by` shares out to them; the parts add up to the whole. Each
    line is rounded half up to pence; lines of zero are left out. VAT is that of `vat_by_rate`, rounded by business day
    and rate. Raises RefusedError for a part of a day.

    >>> found = metrics.ask(metrics.contribution, week)
    >>> found.costs
    {'Cost of goods': 825, 'wages': 1200, 'vat': 434, 'card_fee': 37}
    >>> found.contribution_pence, round(found.labour_share_pct, 1)
    (103, 46.2)
    """
    if not db.execute(sa.text("SELECT EXISTS (SELECT FROM core.cost)")).scalar():
        return None
    if scope.trucks or scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        return _of_part(db, scope)
    goods, without = db.execute(sa.text(_GOODS), bound(scope)).one()
    with hash_joins(db):
        found = {cost: int(scaled or 0) for cost, scaled in db.execute(sa.text(_COSTS), bound(scope))}
    without_vat = found.pop(None)
    goods += half_up(found.pop(GOODS, 0), MILLION) or 0  # costs.csv may have a line of this name, too
    return Contribution(totals(db, scope).gross_sales_pence, _lines(goods, found), without, without_vat)


def _of_part(db: sa.Connection, scope: Scope) -> Contribution:
    """The contribution of a part of the fleet or of its sales."""
    found = shares(db, scope)
    sums: Counter[str] = Counter()
    for share in found:
        sums[share.cost] += share.millionths
    goods = half_up(sums.pop(GOODS, 0), MILLION) or 0
    names = ("gross_sales_pence", "without_goods_pence", "without_vat_pence")
    gross, without, without_vat = (sum(getattr(share, name) for share in found) for name in names)
    return Contribution(gross, _lines(goods, sums), without, without_vat)


def _lines(goods: int, costs: Mapping[str, int]) -> dict[str, int]:
    """Each cost in pence, the largest first, below the cost of goods; `costs` are in millionths of a penny."""
    rounded = {cost: half_up(costs[cost], MILLION) or 0 for cost in sorted(costs, key=lambda one: (-costs[one], one))}
    return {cost: pence for cost, pence in ({GOODS: goods} | rounded).items() if pence}


_GOODS = """
SELECT coalesce(sum(goods_pence), 0)::bigint, coalesce(sum(without_goods_pence), 0)::bigint
FROM mart.price_daily
WHERE business_date BETWEEN :first AND :last"""

# One row per cost: its name and its amount in millionths of a penny; without a name, the pence of sales without a rate
# of VAT although that of others is known.
_COSTS = f"""
WITH {COST_LINES},
lines AS (
    SELECT cost, pence FROM sale_lines UNION ALL SELECT cost, pence FROM fee_lines
    UNION ALL SELECT cost, pence FROM vat_costs
    UNION ALL SELECT cost, pence FROM truck_lines UNION ALL SELECT cost, pence FROM fleet_lines
)
SELECT cost, round(sum(pence) * {MILLION})::bigint FROM lines GROUP BY cost
UNION ALL
SELECT NULL, CASE WHEN count(rate) > 0 THEN (sum(gross) FILTER (WHERE rate IS NULL))::bigint END FROM vat_lines"""
