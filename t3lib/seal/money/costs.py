"""What is left of sales, from sealed daily totals and costs, in fractions until each line is rounded half up once."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

from t3lib.seal.money.vat import Line, is_vat, without_rate_pence

GOODS, VAT = "Cost of goods", "vat"
LABOUR = ("wage", "labour", "labor", "staff", "salar", "payroll")  # as `metrics.contribution` has it; tested
_BY_SALE, _BY_TIME = {"sale", "percent"}, {"day", "month"}


@dataclass(frozen=True)
class Cost:
    """One row of costs.csv; `truck` None is the whole fleet."""

    truck: int | None
    name: str
    amount: Fraction
    per: str
    first: date
    until: date


def contribution(
    daily: pd.DataFrame,
    prices: pd.DataFrame,
    costs: pd.DataFrame,
    vat: list[Line],
    first: date,
    last: date,
    sealed: dict[str, Any],
) -> dict[str, Any]:
    """The values of `metrics.contribution`; none without costs. Costs of other kinds than per sale, in percent, per day
    or per month are taken from `sealed` for the sum, and are not among the values."""
    if costs.empty:
        return {}
    gross = int(daily["total_pence"].sum())
    known = prices["unit_cost_pence"].notna()
    goods = int((prices["transactions"] * prices["unit_cost_pence"]).sum())
    costs, lines = costs[~is_vat(costs)], {VAT: Fraction(sum(line.pence for line in vat))}
    for name, exact in _lines(daily, costs, first, last).items():
        lines[name] = lines.get(name, Fraction()) + exact
    again = {name: _half_up(exact) for name, exact in lines.items()}
    again[GOODS] = again.get(GOODS, 0) + goods  # costs.csv may have a line of this name, too
    again = {f"costs/{name}": pence for name, pence in again.items() if pence}
    others = _others(costs, again, sealed)
    left = gross - sum(again.values()) - sum(others.values())
    card = sum(pence for name, pence in (again | others).items() if "card" in name.lower())
    labour = [pence for name, pence in (again | others).items() if any(word in name.lower() for word in LABOUR)]
    share = 100 * sum(labour) / gross if labour and gross else None
    without = int((prices["transactions"] * prices["price_pence"])[~known].sum())
    return {"gross_sales_pence": gross, "without_goods_pence": without, "without_vat_pence": without_rate_pence(vat),
            "contribution_pence": left, "margin_pct": 100 * left / gross if gross else None, "card_fees_pence": card,
            "labour_pence": sum(labour) if labour else None, "labour_share_pct": share, **again}  # fmt: skip


def _others(costs: pd.DataFrame, again: dict[str, int], sealed: dict[str, Any]) -> dict[str, int]:
    """The sealed costs that are not computed here: of another kind, or of no row of costs.csv."""
    own = {f"costs/{one.cost}".lower() for one in costs.itertuples() if _is_known(one.cost, costs)}
    left = {name: pence for name, pence in sealed.items() if name.startswith("costs/") and name not in again}
    return {name: pence for name, pence in left.items()
            if name.lower() not in own and name not in (f"costs/{GOODS}", f"costs/{VAT}")}  # fmt: skip


def _is_known(name: str, costs: pd.DataFrame) -> bool:
    """Whether all rows of a cost, in whatever spelling, are of one kind that is computed here."""
    kinds = set(costs.loc[costs["cost"].str.lower() == name.lower(), "per"])
    return kinds <= _BY_SALE or kinds <= _BY_TIME


def _lines(daily: pd.DataFrame, costs: pd.DataFrame, first: date, last: date) -> dict[str, Fraction]:
    """Exact pence by cost, over every truck and day."""
    rows = [
        Cost(None if pd.isna(one.truck_id) else int(one.truck_id), one.cost, Fraction(one.amount), one.per,
             date.fromisoformat(one.from_date), date.fromisoformat(one.to_date))
        for one in costs.itertuples() if _is_known(one.cost, costs)
    ]  # fmt: skip
    sums: dict[str, Fraction] = {}
    sold = _sold(daily)
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        in_force = [row for row in rows if row.first <= day < row.until]
        out = sold.get(day, {})
        for name, pence in (*_of_time(in_force, day, set(out)), *_of_sales(in_force, out)):
            sums[name] = sums.get(name, Fraction()) + pence
    return sums


def _of_time(in_force: list[Cost], day: date, out: set[int]) -> Iterable[tuple[str, Fraction]]:
    """Costs of one day: a month's part, and a day's of the fleet or of a truck that traded."""
    for cost in in_force:
        if cost.per == "month":
            yield cost.name, cost.amount / calendar.monthrange(day.year, day.month)[1]
        elif cost.per == "day" and (cost.truck is None or cost.truck in out):
            yield cost.name, cost.amount


def _of_sales(in_force: list[Cost], out: dict[int, tuple[int, int, int]]) -> Iterable[tuple[str, Fraction]]:
    """Costs that grow with the sales of one day; a truck's own cost replaces the fleet's of the same name."""
    for truck, (gross, count, card) in out.items():
        own = {cost.name.lower(): cost for cost in sorted(in_force, key=lambda one: one.truck or 0)
               if cost.per in _BY_SALE and cost.truck in (None, truck)}  # fmt: skip
        for name, cost in own.items():
            if cost.per == "sale":
                yield cost.name, cost.amount * count
            else:
                yield cost.name, (card if "card" in name else gross) * cost.amount / 100


def _sold(daily: pd.DataFrame) -> dict[date, dict[int, tuple[int, int, int]]]:
    """Gross sales, number of sales and card sales by day and truck."""
    found: dict[date, dict[int, tuple[int, int, int]]] = {}
    for row in daily.itertuples():
        day, own = found.setdefault(row.business_date, {}), int(row.total_pence)
        gross, count, card = day.get(int(row.truck_id), (0, 0, 0))
        by_card = own if row.payment_type == "card" else 0
        day[int(row.truck_id)] = (gross + own, count + int(row.transactions), card + by_card)
    return found


def _half_up(exact: Fraction) -> int:
    return (2 * exact + 1).__floor__() // 2
