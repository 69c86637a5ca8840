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


def finding(prices: pd.DataFrame, limit_pence: int, scope: Scope) -> str:
    """The price paid most, the spread, and what a limit leaves out."""
    spread = metrics.price_spread(prices)
    if spread is None:
        return nothing(scope)
    most = prices.loc[prices["transactions"].idxmax()]
    within = metrics.affordable_pct(prices, limit_pence)
    return (
        f"In {span(scope)} {pounds(int(most['price_pence']))} was paid most, {int(most['transactions']):,} times. Half "
        f"of the sales cost at most {pounds(spread.median_price_pence)}, nine in ten at most "
        f"{pounds(spread.p90_price_pence)}; {within:.0f}% cost no more than {pounds(limit_pence)}."
    )
