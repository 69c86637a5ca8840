"""Proof of cash: how far the sales have reached the bank. See docs/settlements.md for states and causes."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib.metrics.display import Figures
from t3lib.metrics.scope import Scope, bound
from t3lib.problems import RefusedError
from t3lib.warehouse.settlements.lines import IS_OPEN

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

_OPEN = f"""
SELECT tender, truck_id, CASE WHEN truck_id = 0 THEN 'Whole fleet'
                              ELSE coalesce(max(truck.name), 'Truck ' || truck_id || ' (not in details.xlsx)') END
           AS truck,
       min(settled.business_date) AS business_date, state, cause, item, provider, sum(pence)::bigint AS pence,
       max(expected_on) AS expected_on, greatest(max(matching.business_date) - max(expected_on), 0) AS days_late
FROM (SELECT * {_CHOSEN}) AS settled
CROSS JOIN mart.matching
LEFT JOIN core.truck USING (truck_id)
WHERE {IS_OPEN}
GROUP BY tender, truck_id, state, cause, item, provider
ORDER BY days_late DESC, pence DESC, item, truck_id"""
_FEES = """
SELECT provider, sum(gross_pence)::bigint AS gross_pence, sum(fee_pence)::bigint AS fee_pence,
       (100 * sum(fee_pence) / nullif(sum(gross_pence), 0))::float AS fee_pct,
       floor(sum(gross_pence * stated.percent / 100) + 0.5)::bigint AS stated_fee_pence,
       (sum(fee_pence) - floor(sum(gross_pence * stated.percent / 100) + 0.5))::bigint AS fee_difference_pence
FROM mart.payout
CROSS JOIN LATERAL (
    SELECT sum(amount) AS percent FROM core.cost
    WHERE truck_id IS NULL AND per = 'percent' AND cost ILIKE '%card%' AND last_day >= from_date AND last_day < to_date
) AS stated
WHERE last_day BETWEEN :first AND :last
GROUP BY provider ORDER BY provider"""
AGES = ((7, "up to a week"), (30, "up to 30 days"), (90, "up to 90 days"), (None, "older"))
_TOTAL = """
SELECT coalesce(sum(pence) FILTER (WHERE state <> 'over'), 0)::bigint AS proven_pence,
       coalesce(sum(pence) FILTER (WHERE state = 'settled'), 0)::bigint AS settled_pence,
       coalesce(sum(pence) FILTER (WHERE state = 'on_its_way'), 0)::bigint AS on_its_way_pence,
       coalesce(sum(pence) FILTER (WHERE state IN ('short', 'not_explained') AND open), 0)::bigint AS missing_pence,
       coalesce(sum(pence) FILTER (WHERE state = 'over' AND open), 0)::bigint AS over_pence,
       count(DISTINCT item) FILTER (WHERE state IN ('short', 'over', 'not_explained') AND open) AS open_items
FROM (SELECT *, cause NOT IN ('explained', 'written_off') AS open FROM mart.settled_daily
      WHERE tender = 'card' AND business_date BETWEEN :first AND :last) AS card"""


@dataclass(frozen=True)
class BankAgreement(Figures):
    """How far the card sales of some days have reached the bank; pence. over_pence comes on top of the others."""

    proven_pence: int
    settled_pence: int
    on_its_way_pence: int
    missing_pence: int
    over_pence: int
    open_items: int


def proof_of_cash(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per tender and state: tender (card or cash), state, pence, and items (how many open or settled things
    these pence belong to).

    The pence of settled, on_its_way, short and not_explained together are the sales of the tender, each pence in one
    state; over is money without sales and comes on top. Trucks and payments may be chosen; whole days only. Empty
    before the first provider's file or bank statement was loaded. Card sales of a truck without a card reader are
    proven with its cash.

    >>> metrics.frame("proof_of_cash", week)
      tender       state  pence  items
    0   card     settled    700      1
    1   card  on_its_way   1400      1
    2   cash       short    499      1
    """
    return _read(db, _STATES, scope)


def proof_of_cash_by_day(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per business day, tender and state: business_date, tender, state, pence. As `proof_of_cash`.

    >>> metrics.frame("proof_of_cash_by_day", week)["pence"].tolist()
    [700, 1400, 499]
    """
    return _read(db, _DAYS, scope)


def bank_agreement(db: sa.Connection, scope: Scope) -> BankAgreement | None:
    """How far the card sales of the whole fleet have reached the bank; None before the first provider's file.

    >>> metrics.ask(metrics.bank_agreement, week).settled_pence
    700
    """
    row = db.execute(sa.text(_TOTAL), bound(scope)).mappings().one()
    return BankAgreement(**row) if row["proven_pence"] or row["over_pence"] else None


def open_items(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per open item of a tender and truck: tender, truck_id, truck, business_date (its first day), state,
    cause, item, provider, pence, expected_on, and days_late when it was matched last; the latest first.

    Open is what is short, over or not_explained and neither explained nor written off. As `proof_of_cash`.

    >>> metrics.frame("open_items", week)[["cause", "item", "pence"]]
            cause               item  pence
    0  not_banked  cash/6/2026-11-05    499
    """
    return _read(db, _OPEN, scope)


def ageing(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per age of what is open: age, items, pence. As `open_items`.

    >>> found = metrics.frame("ageing", week)
    >>> found["age"].tolist(), int(found["pence"].sum())
    (['up to a week', 'up to 30 days', 'up to 90 days', 'older'], 499)
    """
    found, rows, after = open_items(db, scope), [], -1
    for most, name in AGES:
        of_age = found[found["days_late"].gt(after) & (found["days_late"].le(most) if most is not None else True)]
        rows.append((name, of_age["item"].nunique(), int(of_age["pence"].sum())))
        after = after if most is None else most
    return pd.DataFrame(rows, columns=["age", "items", "pence"])


def card_fees_by_provider(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per card provider: provider, gross_pence and fee_pence of the payouts whose last day is in the scope,
    fee_pct, stated_fee_pence (what the fleet's card costs in metadata/costs.csv say) and fee_difference_pence.

    Days alone may be chosen. The stated fee is missing where costs.csv has no card cost for the fleet.

    >>> metrics.frame("card_fees_by_provider", week)[["provider", "fee_pence", "stated_fee_pence"]]
      provider  fee_pence  stated_fee_pence
    0   stripe         42                37
    """
    if scope.trucks or scope.payments:
        raise RefusedError("Fees are known for payouts, which may hold sales of several trucks: choose all of them.")
    return _read(db, _FEES, scope)


def _read(db: sa.Connection, query: str, scope: Scope) -> pd.DataFrame:
    if scope.locations or scope.menus or scope.until_hour is not None:
        raise RefusedError("What reached the bank is known for whole trucks and whole days only.")
    result = db.execute(sa.text(query), bound(scope))
    return pd.DataFrame(result.all(), columns=list(result.keys()))
