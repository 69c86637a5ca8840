"""A scope against the same weekdays before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.sales.totals import Totals, by_hour_and_truck, data_range, half_up, totals
from t3lib.metrics.scope import Scope, same_weekdays_before
from t3lib.settings import settings


@dataclass(frozen=True)
class Typical(Totals):
    """Means over `weeks` comparable periods: gross sales and average ticket in pence, transactions as a number."""

    weeks: int = 1


def typical(db: sa.Connection, scope: Scope, weeks: int = 4) -> Typical | None:
    """Mean of the same weekdays before, over the periods (at most `weeks`) for which all data are loaded.

    A period counts, with its zeros, if it starts on or after the first day of data. Pence and transactions are rounded
    half up; average ticket and card share are computed over all periods together. None without a period.

    >>> found = metrics.ask(metrics.typical, week)
    >>> found.gross_sales_pence, found.transactions, found.weeks
    (1199, 2, 2)
    """
    return mean(db, _recorded(db, scope, weeks))


def mean(db: sa.Connection, scopes: Sequence[Scope]) -> Typical | None:
    """The mean of some scopes, rounded like `typical`; None without a scope."""
    periods = [totals(db, scope) for scope in scopes]
    if not periods:
        return None
    pence = sum(period.gross_sales_pence for period in periods)
    sales = sum(period.transactions for period in periods)
    card = sum(period.gross_sales_pence * (period.card_share_pct or 0) for period in periods)
    return Typical(
        half_up(pence, len(periods)) or 0,
        half_up(sales, len(periods)) or 0,
        half_up(pence, sales),
        card / pence if pence else None,
        len(periods),
    )


def typical_by_hour(db: sa.Connection, scope: Scope, weeks: int = 4) -> pd.DataFrame:
    """One row per local hour: local_hour, gross_sales_pence as the mean of the same weekdays before.

    Always of complete days (`until_hour` is ignored), so that a day that still trades shows what to expect.

    >>> metrics.frame("typical_by_hour", week)
       local_hour  gross_sales_pence
    0          13                700
    1          14                499
    """
    return _typical_rows(db, scope, weeks, ["local_hour"])


def typical_by_hour_and_truck(db: sa.Connection, scope: Scope, weeks: int = 4) -> pd.DataFrame:
    """One row per truck and local hour: truck_id, local_hour, gross_sales_pence as in `typical_by_hour`.

    >>> metrics.frame("typical_by_hour_and_truck", week)
       truck_id  local_hour  gross_sales_pence
    0         1          13                700
    1         6          14                499
    """
    return _typical_rows(db, scope, weeks, ["truck_id", "local_hour"])


def change_pct(now: float | None, before: float | None) -> float | None:
    """Change in percent of `before`; None if either is missing or `before` is zero.

    >>> metrics.change_pct(2100, 700)
    200.0
    >>> metrics.change_pct(2100, 0) is None
    True
    """
    return None if now is None or not before else 100 * (now - before) / before


def _recorded(db: sa.Connection, scope: Scope, weeks: int) -> list[Scope]:
    recorded = data_range(db)
    return [period for period in same_weekdays_before(scope, weeks) if recorded and period.first >= recorded[0]]


def _typical_rows(db: sa.Connection, scope: Scope, weeks: int, grain: list[str]) -> pd.DataFrame:
    periods = _recorded(db, replace(scope, until_hour=None), weeks)
    pence: dict[tuple[int, ...], int] = {}
    for period in periods:
        frame = by_hour_and_truck(db, period)
        keys = zip(*(frame[name].astype(int) for name in grain), strict=True)
        for key, amount in zip(keys, frame["gross_sales_pence"].astype(int), strict=True):
            pence[key] = pence.get(key, 0) + amount
    start = settings().business_day_start.hour
    ordered = sorted(pence.items(), key=lambda item: (item[0][:-1], (item[0][-1] - start) % 24))
    rows = [(*key, half_up(amount, len(periods))) for key, amount in ordered]
    return pd.DataFrame(rows, columns=[*grain, "gross_sales_pence"], dtype="int64")
