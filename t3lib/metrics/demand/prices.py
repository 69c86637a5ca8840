"""Prices paid: their spread, and the share of sales up to an amount."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.sales.breakdown import PRICED
from t3lib.metrics.scope import Scope, bound


@dataclass(frozen=True)
class PriceSpread(Figures):
    """The 10th, 50th and 90th percentile of the prices paid, in pence."""

    p10_price_pence: int
    median_price_pence: int
    p90_price_pence: int


_PRICES = PRICED + " SELECT truck_id, price_pence, transactions::bigint AS transactions FROM priced"


def prices(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and price of the scope's days, trucks and menu types: truck_id, price_pence, transactions.

    >>> metrics.frame("prices", week)
       truck_id  price_pence  transactions
    0         1          700             3
    1         6          499             1
    """
    result = db.execute(sa.text(_PRICES), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys())).astype("int64")


def price_spread(sold: pd.DataFrame) -> PriceSpread | None:
    """The spread of `prices`, or of some of its rows; None without a sale. Each percentile is a price that was paid.

    >>> metrics.price_spread(metrics.frame("prices", week))
    PriceSpread(p10_price_pence=499, median_price_pence=700, p90_price_pence=700)
    """
    if sold.empty:
        return None
    ordered = sold.sort_values("price_pence")
    reached = ordered["transactions"].cumsum()
    total = int(reached.iloc[-1])
    # The first price up to which so many tenths of the transactions were made, in integer arithmetic.
    found = [int(ordered["price_pence"][reached * 10 >= total * tenths].iloc[0]) for tenths in (1, 5, 9)]
    return PriceSpread(*found)


def affordable_pct(sold: pd.DataFrame, limit_pence: int) -> float | None:
    """Share of the transactions of `prices` up to an amount; None without a sale.

    >>> metrics.affordable_pct(metrics.frame("prices", week), 500)
    25.0
    """
    total = int(sold["transactions"].sum())
    cheap = int(sold.loc[sold["price_pence"] <= limit_pence, "transactions"].sum())
    return 100 * cheap / total if total else None
