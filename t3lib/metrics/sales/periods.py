"""Sales by week, month and weekday, and per trading hour."""

import calendar
from dataclasses import replace
from datetime import date

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.sales.totals import data_range, half_up
from t3lib.metrics.scope import SCOPED, Scope, bound

GRAINS = ("week", "month")
_BY_PERIOD = (
    SCOPED
    + """,
day AS (
    SELECT business_date, sum(transactions) AS transactions, sum(total_pence) AS total_pence,
           sum(total_pence) FILTER (WHERE payment_type = 'card') AS card_pence
    FROM sales GROUP BY business_date
)
SELECT CAST(date_trunc(:grain, business_date) AS date) AS period_first, count(*) AS trading_days,
       sum(transactions)::bigint AS transactions, sum(total_pence)::bigint AS gross_sales_pence,
       100.0 * coalesce(sum(card_pence), 0) / nullif(sum(total_pence), 0) AS card_share_pct
FROM day
GROUP BY period_first
ORDER BY period_first"""
)


def by_period(db: sa.Connection, scope: Scope, grain: str = "week") -> pd.DataFrame:
    """One row per week (from Monday) or month with a sale in the scope: period_first, trading_days (with a sale),
    transactions, gross_sales_pence, card_share_pct. The first and the last may be cut by the scope.

    >>> metrics.frame("by_period", metrics.recent(14), grain="week").drop(columns="card_share_pct")
      period_first  trading_days  transactions  gross_sales_pence
    0   2026-10-26             2             2               1199
    1   2026-11-02             2             4               2599
    """
    if grain not in GRAINS:
        raise ValueError(f"a grain is week or month, not {grain}")
    return _frame(db, _BY_PERIOD, scope, grain=grain).astype({"card_share_pct": float})


def periods_until(scope: Scope, grain: str, count: int) -> Scope:
    """The scope over the last `count` weeks or months, including the one of its last day.

    >>> str(metrics.periods_until(week, "month", 2).first)
    '2026-10-01'
    """
    months = scope.last.year * 12 + scope.last.month - count
    first = {
        "week": date.fromordinal(scope.last.toordinal() - scope.last.weekday() - 7 * (count - 1)),
        "month": date(months // 12, months % 12 + 1, 1),
    }[grain]
    return replace(scope, first=first)


def partial_months(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per month of the scope of which not every day counts: period_first, first_day and last_day that count.

    The month in which the data begin, the month that still runs (up to today) and the months that the scope cuts.
    Whoever shows a month, or compares with one, says which days of it count.

    >>> metrics.frame("partial_months", metrics.recent(14))
      period_first  first_day   last_day
    0   2026-10-01 2026-10-23 2026-10-31
    1   2026-11-01 2026-11-01 2026-11-05
    """
    recorded, today = data_range(db), business_day.today()
    first = max(scope.first, recorded[0]) if recorded else scope.first
    last = min(scope.last, max(today, first))
    found = {(edge.year, edge.month): edge.replace(day=1) for edge in (first, last)}
    spans = [(month, max(first, month), min(last, _month_end(month))) for month in found.values()]
    partial = [span for span in spans if span[1:] != (span[0], _month_end(span[0])) or span[2] >= today]
    partial = partial if recorded and first <= scope.last else []
    return pd.DataFrame(partial, columns=["period_first", "first_day", "last_day"])


def _month_end(first: date) -> date:
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


_WEEKS_BY_TRUCK = (
    SCOPED
    + """
SELECT truck_id, CAST(date_trunc('week', business_date) AS date) AS period_first,
       sum(total_pence)::bigint AS gross_sales_pence
FROM sales GROUP BY truck_id, period_first ORDER BY truck_id, period_first"""
)


def by_week_and_truck(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and week with a sale: truck_id, period_first (Monday), gross_sales_pence.

    >>> metrics.frame("by_week_and_truck", metrics.recent(14))
       truck_id period_first  gross_sales_pence
    0         1   2026-10-26                700
    1         1   2026-11-02               2100
    2         6   2026-10-26                499
    3         6   2026-11-02                499
    """
    return _frame(db, _WEEKS_BY_TRUCK, scope)


_BY_WEEKDAY = (
    SCOPED
    + """,
day AS (
    SELECT business_date, sum(transactions) AS transactions, sum(total_pence) AS total_pence
    FROM sales GROUP BY business_date
)
SELECT CAST(extract(isodow FROM business_date) AS integer) AS weekday, count(*) AS trading_days,
       sum(transactions)::bigint AS transactions, sum(total_pence)::bigint AS gross_sales_pence
FROM day GROUP BY weekday ORDER BY weekday"""
)


def by_weekday(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per weekday with a sale, 1 is Monday: weekday, trading_days, the measures and sales_per_day_pence.

    >>> metrics.frame("by_weekday", metrics.recent(14))[["weekday", "trading_days", "sales_per_day_pence"]]
       weekday  trading_days  sales_per_day_pence
    0        3             2                  700
    1        4             2                 1199
    """
    frame = _frame(db, _BY_WEEKDAY, scope)
    return frame.assign(sales_per_day_pence=_each(frame, "trading_days"))


_PARTS = {"Monday to Friday": range(1, 6), "Weekend": range(6, 8)}


def by_part_of_week(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per part of the week with a sale, Monday to Friday and the weekend: part_of_week, trading_days, the
    measures and sales_per_day_pence.

    >>> metrics.frame("by_part_of_week", metrics.recent(14))[["part_of_week", "trading_days", "sales_per_day_pence"]]
           part_of_week  trading_days  sales_per_day_pence
    0  Monday to Friday             4                  950
    """
    found = by_weekday(db, scope).drop(columns="sales_per_day_pence")
    parts = [name for weekday in found["weekday"] for name, days in _PARTS.items() if weekday in days]
    summed = found.assign(part_of_week=parts).groupby("part_of_week", as_index=False).sum().drop(columns="weekday")
    return summed.assign(sales_per_day_pence=_each(summed, "trading_days"))


_PER_HOUR = (
    SCOPED
    + """
SELECT truck_id, sum(hours)::bigint AS trading_hours, count(*) AS trading_days,
       sum(total_pence)::bigint AS gross_sales_pence
FROM (
    SELECT truck_id, business_date, 1 + max(hour_order) - min(hour_order) AS hours, sum(total_pence) AS total_pence
    FROM sales GROUP BY truck_id, business_date
) AS days
GROUP BY truck_id ORDER BY truck_id"""
)


def per_trading_hour(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck with a sale: truck_id, trading_hours (from the first to the last hour with a sale of each day),
    trading_days, gross_sales_pence and sales_per_hour_pence.

    >>> metrics.frame("per_trading_hour", week)[["truck_id", "trading_hours", "sales_per_hour_pence"]]
       truck_id  trading_hours  sales_per_hour_pence
    0         1              2                  1050
    1         6              1                   499
    """
    frame = _frame(db, _PER_HOUR, scope)
    return frame.assign(sales_per_hour_pence=_each(frame, "trading_hours"))


def _each(frame: pd.DataFrame, count: str) -> pd.Series:
    pairs = zip(frame["gross_sales_pence"], frame[count], strict=True)
    return pd.Series([half_up(int(pence), int(n)) for pence, n in pairs], index=frame.index, dtype="Int64")


def _frame(db: sa.Connection, query: str, scope: Scope, **more: object) -> pd.DataFrame:
    result = db.execute(sa.text(query), bound(scope) | more)
    return pd.DataFrame(result.all(), columns=list(result.keys()))
