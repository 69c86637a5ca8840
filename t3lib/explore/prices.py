"""Which prices people pay, and how many of them pay no more than an amount."""

import pandas as pd

from t3lib import metrics
from t3lib.explore import nothing, span
from t3lib.metrics import Scope
from t3lib.money import pounds


def demand_curve(prices: pd.DataFrame) -> pd.DataFrame:
    """One row per price of `by_price_point`, the cheapest first: price_pence, transactions, and reached_pct, the part
    of the transactions that cost at most that."""
    ordered = prices[["price_pence", "transactions"]].sort_values("price_pence", ignore_index=True)
    total = int(ordered["transactions"].sum()) or 1
    return ordered.assign(reached_pct=(100 * ordered["transactions"].cumsum() / total).astype(float))


def by_truck(sold: pd.DataFrame, limit_pence: int) -> pd.DataFrame:
    """One row per truck of `by_price`, the dearest first: truck, transactions, its cheapest, its middle and its dearest
    price, and affordable_pct, the part of its transactions that cost at most an amount."""
    rows = [_spread(truck, own, limit_pence) for truck, own in sold.groupby("truck", observed=True)]
    names = ["truck", "transactions", "cheapest_pence", "median_price_pence", "dearest_pence", "affordable_pct"]
    return pd.DataFrame(rows, columns=names).sort_values("median_price_pence", ascending=False, ignore_index=True)


def finding(prices: pd.DataFrame, limit_pence: int, scope: Scope) -> str:
    """The price paid most, the spread, and what a limit leaves out."""
    spread = metrics.price_spread(prices)
    if spread is None:
        return nothing(scope)
    most = prices.loc[prices["transactions"].idxmax()]
    within = metrics.affordable_pct(prices, limit_pence)
    return (
        f"In {span(scope)}, {pounds(int(most['price_pence']))} was paid most, {int(most['transactions']):,} times. "
        f"Half of the sales cost at most {pounds(spread.median_price_pence)}, nine in ten at most "
        f"{pounds(spread.p90_price_pence)}; {within:.0f}% cost no more than {pounds(limit_pence)}."
    )


def _spread(truck: str, own: pd.DataFrame, limit_pence: int) -> tuple[object, ...]:
    spread = metrics.price_spread(own)
    middle = spread.median_price_pence if spread else None
    cheapest, dearest = int(own["price_pence"].min()), int(own["price_pence"].max())
    within = metrics.affordable_pct(own, limit_pence)
    return truck, int(own["transactions"].sum()), cheapest, middle, dearest, within
