"""What is left of sales, from sealed daily totals and costs, in fractions until each line is rounded half up once."""

import calendar
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd

_PER = {"day", "month", "sale", "percent"}


def contribution(
    daily: pd.DataFrame, prices: pd.DataFrame, costs: pd.DataFrame, first: date, last: date
) -> dict[str, Any] | None:
    """The values of `metrics.contribution`; none without costs; None where a cost is of a kind not known here."""
    if not set(costs["per"]) <= _PER:
        return None
    gross = int(daily["total_pence"].sum())
    known = prices["unit_cost_pence"].notna()
    goods = int((prices["transactions"] * prices["unit_cost_pence"]).sum())
    without = int((prices["transactions"] * prices["price_pence"])[~known].sum())
    if costs.empty:
        return {}
    lines = _lines(daily, costs, first, last)
    pence = {"Cost of goods": goods} | {cost: _half_up(exact) for cost, exact in lines.items()}
    pence = {cost: one for cost, one in pence.items() if one}
    left = gross - sum(pence.values())
    return {"gross_sales_pence": gross, "without_goods_pence": without, "contribution_pence": left,
            "margin_pct": 100 * left / gross if gross else None,
            "card_fees_pence": sum(one for cost, one in pence.items() if "card" in cost.lower()),
            **{f"costs/{cost}": one for cost, one in pence.items()}}  # fmt: skip


def _lines(daily: pd.DataFrame, costs: pd.DataFrame, first: date, last: date) -> dict[str, Fraction]:
    """Exact pence by cost, over every truck, day and cost."""
    sums: dict[str, Fraction] = {}
    rows = [
        (None if pd.isna(one.truck_id) else int(one.truck_id), one.cost, Fraction(one.amount), one.per,
         date.fromisoformat(one.from_date), date.fromisoformat(one.to_date))
        for one in costs.itertuples()
    ]  # fmt: skip
    sold = _sold(daily)
    for day in (first + timedelta(n) for n in range((last - first).days + 1)):
        held = [row for row in rows if row[4] <= day < row[5]]
        out = {truck: sums_of for (truck, when), sums_of in sold.items() if when == day}
        for truck, cost, amount, per, *_ in held:
            if per == "month":
                sums[cost] = sums.get(cost, Fraction()) + amount / calendar.monthrange(day.year, day.month)[1]
            elif per == "day" and (truck is None or truck in out):
                sums[cost] = sums.get(cost, Fraction()) + amount
        for truck, (gross, count, card) in out.items():
            own = {cost: (amount, per) for held_by, cost, amount, per, *_ in sorted(held, key=lambda row: row[0] or 0)
                   if per in ("sale", "percent") and held_by in (None, truck)}  # fmt: skip
            for cost, (amount, per) in own.items():  # a truck's own cost replaced the fleet's of the same name
                sums[cost] = sums.get(cost, Fraction()) + _grown(cost, amount, per, gross, count, card)
    return sums


def _grown(cost: str, amount: Fraction, per: str, gross: int, count: int, card: int) -> Fraction:
    """A cost that grows with sales, of one truck on one day."""
    if per == "sale":
        return amount * count
    if cost.lower().startswith("vat"):
        return gross * amount / (100 + amount)
    return (card if "card" in cost.lower() else gross) * amount / 100


def _sold(daily: pd.DataFrame) -> dict[tuple[int, date], tuple[int, int, int]]:
    """Gross sales, number of sales and card sales by truck and day."""
    found: dict[tuple[int, date], tuple[int, int, int]] = {}
    for row in daily.itertuples():
        gross, count, card = found.get((int(row.truck_id), row.business_date), (0, 0, 0))
        own = int(row.total_pence)
        found[int(row.truck_id), row.business_date] = (
            gross + own, count + int(row.transactions), card + (own if row.payment_type == "card" else 0))  # fmt: skip
    return found


def _half_up(exact: Fraction) -> int:
    return (2 * exact + 1).__floor__() // 2
