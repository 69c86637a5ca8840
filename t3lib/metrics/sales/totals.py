"""Sales, transactions, tickets and shares, in total and by day, truck, hour, payment and price."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.display import Figures
from t3lib.metrics.scope import SCOPED, Scope, bound
from t3lib.problems import RefusedError

# Trucks that are not in details.xlsx are shown under this name.
_TRUCK = "coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck"
_MEASURES = """coalesce(sum(transactions), 0)::bigint AS transactions,
       coalesce(sum(total_pence), 0)::bigint AS gross_sales_pence"""


@dataclass(frozen=True)
class Totals(Figures):
    """Pence and counts of a scope; average and share are None without sales."""

    gross_sales_pence: int
    transactions: int
    average_ticket_pence: int | None
    card_share_pct: float | None


_TOTALS = (
    SCOPED
    + f"""
SELECT {_MEASURES}, coalesce(sum(total_pence) FILTER (WHERE payment_type = 'card'), 0)::bigint AS card_pence
FROM sales"""
)


def totals(db: sa.Connection, scope: Scope) -> Totals:
    """Gross sales, transactions, average ticket (rounded half up) and card share of gross sales.

    >>> found = metrics.ask(metrics.totals, week)
    >>> found.gross_sales_pence, found.transactions, found.average_ticket_pence
    (2599, 4, 650)
    """
    row = db.execute(sa.text(_TOTALS), bound(scope)).one()
    return Totals(
        row.gross_sales_pence,
        row.transactions,
        half_up(row.gross_sales_pence, row.transactions),
        100 * row.card_pence / row.gross_sales_pence if row.gross_sales_pence else None,
    )


def half_up(pence: int, count: int) -> int | None:
    """pence / count to the nearest penny, halves up; None if count is zero."""
    return (2 * pence + count) // (2 * count) if count else None


_BY_DAY = (
    SCOPED
    + f""",
days AS (
    SELECT CAST(day AS date) AS business_date
    FROM generate_series(:zero_first, :zero_last, interval '1 day') AS day
),
traded AS (SELECT business_date, {_MEASURES} FROM sales GROUP BY business_date)
SELECT business_date, coalesce(transactions, 0) AS transactions,
       coalesce(gross_sales_pence, 0) AS gross_sales_pence
FROM days FULL JOIN traded USING (business_date)
ORDER BY business_date"""
)


def by_day(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per business day: business_date, transactions, gross_sales_pence, average_ticket_pence.

    A day without sales is a row of zeros if it lies in the range of days that the warehouse holds and
    before the day that is trading now; other days without sales have no row.

    >>> days = metrics.frame("by_day", week)
    >>> days[days["transactions"] > 0]
      business_date  transactions  gross_sales_pence  average_ticket_pence
    2    2026-11-04             1                700                   700
    3    2026-11-05             3               1899                   633
    """
    recorded = data_range(db)
    zero_first = max(scope.first, recorded[0]) if recorded else scope.first
    yesterday = business_day.today() - timedelta(days=1)
    zero_last = min(scope.last, recorded[1], yesterday) if recorded else scope.first - timedelta(days=1)
    return _frame(db, _BY_DAY, scope, zero_first=zero_first, zero_last=zero_last)


_BY_TRUCK = (
    SCOPED
    + f""",
traded AS (SELECT truck_id, {_MEASURES} FROM sales GROUP BY truck_id),
known AS (
    SELECT truck_id FROM core.truck
    WHERE in_details AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
)
SELECT truck_id, {_TRUCK},
       coalesce(transactions, 0) AS transactions, coalesce(gross_sales_pence, 0) AS gross_sales_pence
FROM known FULL JOIN traded USING (truck_id) LEFT JOIN core.truck USING (truck_id)
ORDER BY truck_id"""
)


def by_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck: truck_id, truck, transactions, gross_sales_pence, average_ticket_pence.

    Trucks of details.xlsx without sales have a row of zeros; other trucks have a row only with sales.

    >>> metrics.frame("by_truck", week)[["truck", "transactions", "gross_sales_pence", "average_ticket_pence"]]
                 truck  transactions  gross_sales_pence  average_ticket_pence
    0  Burrito Madness             3               2100                   700
    1    SuperSmoothie             1                499                   499
    """
    return _frame(db, _BY_TRUCK, scope)


_BY_HOUR = (
    SCOPED
    + f"""
SELECT local_hour, {_MEASURES} FROM sales GROUP BY local_hour, hour_order ORDER BY hour_order"""
)


def by_hour(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per local hour with sales, in the order of the business day: local_hour and the measures.

    When the clocks go back, the hour that occurs twice is one row with the sales of both.

    >>> metrics.frame("by_hour", week)
       local_hour  transactions  gross_sales_pence  average_ticket_pence
    0          13             3               2100                   700
    1          14             1                499                   499
    """
    return _frame(db, _BY_HOUR, scope)


_BY_HOUR_AND_TRUCK = (
    SCOPED
    + f"""
SELECT truck_id, {_TRUCK}, local_hour, transactions, gross_sales_pence
FROM (SELECT truck_id, local_hour, hour_order, {_MEASURES} FROM sales GROUP BY truck_id, local_hour, hour_order) AS hour
LEFT JOIN core.truck USING (truck_id)
ORDER BY truck_id, hour_order"""
)


def by_hour_and_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and local hour with sales: truck_id, truck, local_hour and the measures.

    >>> metrics.frame("by_hour_and_truck", week)[["truck", "local_hour", "gross_sales_pence"]]
                 truck  local_hour  gross_sales_pence
    0  Burrito Madness          13               2100
    1    SuperSmoothie          14                499
    """
    return _frame(db, _BY_HOUR_AND_TRUCK, scope)


_BY_PAYMENT = (
    SCOPED
    + f"""
SELECT payment_type, {_MEASURES} FROM sales GROUP BY payment_type ORDER BY payment_type"""
)


def by_payment(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per payment type with sales: payment_type, the measures and share_pct of gross sales.

    >>> metrics.frame("by_payment", week)[["payment_type", "gross_sales_pence", "share_pct"]].round(1)
      payment_type  gross_sales_pence  share_pct
    0         card               2100       80.8
    1         cash                499       19.2
    """
    frame = _frame(db, _BY_PAYMENT, scope)
    gross = frame["gross_sales_pence"].sum()
    return frame.assign(share_pct=100 * frame["gross_sales_pence"] / gross if gross else float("nan"))


_BY_PRICE = (
    """
WITH prices AS (
    SELECT truck_id, price_pence, transactions FROM mart.price_daily
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
)
SELECT truck_id, """
    + _TRUCK
    + """, price_pence, sum(transactions)::bigint AS transactions,
       sum(transactions * price_pence::bigint)::bigint AS gross_sales_pence
FROM prices LEFT JOIN core.truck USING (truck_id)
GROUP BY truck_id, truck.name, price_pence ORDER BY truck_id, price_pence"""
)


def by_price(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and price: truck_id, truck, price_pence, transactions, gross_sales_pence.

    Prices are kept by day and truck only: a scope with places, payments or an hour is refused.

    >>> metrics.frame("by_price", week)[["truck", "price_pence", "transactions", "gross_sales_pence"]]
                 truck  price_pence  transactions  gross_sales_pence
    0  Burrito Madness          700             3               2100
    1    SuperSmoothie          499             1                499
    """
    if scope.locations or scope.payments or scope.until_hour is not None:
        raise RefusedError("Prices are kept by day and truck: choose all places and payments, and whole days.")
    return _frame(db, _BY_PRICE, scope)


def data_range(db: sa.Connection) -> tuple[date, date] | None:
    """First and last business day with a sale, or None before the first load.

    >>> metrics.ask(metrics.data_range)
    (datetime.date(2026, 10, 14), datetime.date(2026, 11, 5))
    """
    first, last = db.execute(sa.text("SELECT min(business_date), max(business_date) FROM mart.sales_hourly")).one()
    return (first, last) if first else None


# Every truck with a loaded file, found by one index lookup per truck, because the ledger only grows.
TRUCKS_WITH_FILES = """
WITH RECURSIVE truck_with_file AS (
    (SELECT truck_id FROM mart.file WHERE state = 'loaded' AND truck_id IS NOT NULL ORDER BY truck_id LIMIT 1)
    UNION ALL
    SELECT (SELECT truck_id FROM mart.file WHERE state = 'loaded' AND truck_id > truck_with_file.truck_id
            ORDER BY truck_id LIMIT 1)
    FROM truck_with_file WHERE truck_id IS NOT NULL
)"""
_TRUCKS = f"""{TRUCKS_WITH_FILES},
ids AS (
    SELECT truck_id FROM core.truck WHERE in_details
    UNION
    SELECT truck_id FROM truck_with_file WHERE truck_id IS NOT NULL
)
SELECT truck_id, {_TRUCK}
FROM ids LEFT JOIN core.truck USING (truck_id) ORDER BY truck_id"""


def trucks(db: sa.Connection) -> dict[int, str]:
    """Name of every truck of details.xlsx or with a loaded file, by id.

    >>> metrics.ask(metrics.trucks)
    {1: 'Burrito Madness', 6: 'SuperSmoothie'}
    """
    return dict(db.execute(sa.text(_TRUCKS)).all())


def locations(db: sa.Connection) -> dict[int, str]:
    """Name of every place by id; 0 is for sales without a pitch.

    >>> metrics.ask(metrics.locations)
    {0: 'Place not recorded', 4: 'Alnfield Park'}
    """
    return dict(db.execute(sa.text("SELECT location_id, name FROM core.location ORDER BY location_id")).all())


def payment_types(db: sa.Connection) -> list[str]:
    """Payment types with a sale.

    >>> metrics.ask(metrics.payment_types)
    ['card', 'cash']
    """
    return list(db.execute(sa.text(_PAYMENT_TYPES)).scalars())


_PAYMENT_TYPES = "SELECT DISTINCT payment_type FROM mart.sales_hourly ORDER BY payment_type"


def _frame(db: sa.Connection, query: str, scope: Scope, **more: object) -> pd.DataFrame:
    """The query's rows; with the average ticket where it has the two measures and no price."""
    result = db.execute(sa.text(query), bound(scope) | more)
    frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    if "price_pence" not in frame:
        pairs = zip(frame["gross_sales_pence"], frame["transactions"], strict=True)
        frame["average_ticket_pence"] = pd.array([half_up(*pair) for pair in pairs], "Int64")
    return frame
