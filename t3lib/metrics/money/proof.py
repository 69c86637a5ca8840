"""Proof of cash: how far the sales have reached the bank. See docs/settlements.md for states and causes."""

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.scope import Scope, bound
from t3lib.problems import RefusedError

_CHOSEN = """
FROM mart.settled_daily
WHERE business_date BETWEEN :first AND :last AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
  AND (:all_payments OR tender = ANY(CAST(:payments AS text[])))"""
_ORDER = "array_position(ARRAY['settled', 'on_its_way', 'short', 'not_explained', 'over'], state)"
_STATES = f"""
SELECT tender, state, sum(pence)::bigint AS pence, count(DISTINCT nullif(item, ''))::bigint AS items
{_CHOSEN}
GROUP BY tender, state ORDER BY tender, {_ORDER}"""
_DAYS = f"""
SELECT business_date, tender, state, sum(pence)::bigint AS pence
{_CHOSEN}
GROUP BY business_date, tender, state ORDER BY business_date, tender, {_ORDER}"""


def proof_of_cash(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per tender and state: tender (card or cash), state, pence, and items (how many open or settled things
    these pence belong to).

    The pence of settled, on_its_way, short and not_explained together are the sales of the tender, each pence in one
    state; over is money without sales and comes on top. Trucks and payments may be chosen; whole days only. Empty
    before the first provider's file or bank statement was loaded. Card sales of a truck without a card reader are
    proven with its cash.

    >>> metrics.frame("proof_of_cash", week)
      tender          state  pence  items
    0   card        settled    700      1
    1   card     on_its_way   1400      1
    2   cash  not_explained    499      1
    """
    return _read(db, _STATES, scope)


def proof_of_cash_by_day(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per business day, tender and state: business_date, tender, state, pence. As `proof_of_cash`.

    >>> metrics.frame("proof_of_cash_by_day", week)["pence"].tolist()
    [700, 1400, 499]
    """
    return _read(db, _DAYS, scope)


def _read(db: sa.Connection, query: str, scope: Scope) -> pd.DataFrame:
    if scope.locations or scope.menus or scope.until_hour is not None:
        raise RefusedError("What reached the bank is known for whole trucks and whole days only.")
    result = db.execute(sa.text(query), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys()))
