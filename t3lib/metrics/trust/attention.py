"""Items that need attention: silent trucks, unusual days, dead card readers, rejects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

import sqlalchemy as sa

from t3lib.editions import Limits, attention_limits
from t3lib.metrics.sales.comparison import change_pct
from t3lib.metrics.sales.totals import data_range
from t3lib.metrics.scope import Scope, bound, same_weekdays_before
from t3lib.metrics.trust.explanations import likely_explanation
from t3lib.metrics.trust.quality import complete_until
from t3lib.money import pounds


@dataclass(frozen=True)
class Attention:
    """One item about a truck (None: about the fleet) on a business day, as a text with pounds and counts.

    kind is silent, card_reader, sales_low, sales_high or rejects_up; the likely reason is a sentence, or empty if the
    data show none."""

    kind: str
    truck_id: int | None
    truck: str | None
    text: str
    reason: str = ""


def attention(
    db: sa.Connection, business_date: date, trucks: Collection[int] = (), limits: Limits | None = None
) -> list[Attention]:
    """At most three items about these trucks (none means all) or the fleet, the most important first.

    Items are: trucks without sales that usually trade on this weekday, card readers without a card sale, sales outside
    median +- 3 MAD of the eight same weekdays before (at the same time of day while it trades), and a share of rejected
    rows above that range. Empty with fewer than three weeks of data. These numbers are the limits' defaults; without
    limits those of `[attention]` in editions.toml hold, for the dashboard and the reports alike.

    >>> [item.text for item in metrics.ask(metrics.attention, date(2026, 11, 12))]
    ['SuperSmoothie has no sales; usually it has £4.99']
    """
    limits = limits or attention_limits()
    scope = Scope(business_date, business_date, until_hour=complete_until(db, business_date))
    recorded = data_range(db)
    weeks = [week.first for week in same_weekdays_before(scope, limits.weeks) if recorded and week.first >= recorded[0]]
    if len(weeks) < limits.fewest_weeks:
        return []
    found = _trucks(db, scope, weeks, limits) + _rejects(db, scope, weeks, limits)
    concerned = [pair for pair in found if not trucks or pair[1].truck_id in {None, *trucks}]
    most = [item for _, item in sorted(concerned, key=lambda pair: -pair[0])[: limits.most]]
    return [replace(one, reason=likely_explanation(db, scope, weeks, one.kind, one.truck_id)) for one in most]


@dataclass(frozen=True)
class _Sold:
    pence: int = 0
    transactions: int = 0
    card_transactions: int = 0


_SOLD = """
WITH sales AS (
    SELECT business_date, truck_id, transactions, total_pence, payment_type
    FROM mart.sales_hourly
    WHERE business_date = ANY(CAST(:days AS date[])) AND (local_hour - :day_start + 24) % 24 < :hours
)
SELECT business_date, truck_id, sum(total_pence)::bigint AS pence, sum(transactions)::bigint AS transactions,
       coalesce(sum(transactions) FILTER (WHERE payment_type = 'card'), 0)::bigint AS card_transactions
FROM sales GROUP BY business_date, truck_id"""
_NAMES = """
WITH ids AS (
    SELECT truck_id FROM core.truck WHERE in_details
    UNION
    SELECT truck_id FROM mart.sales_hourly WHERE business_date = ANY(CAST(:days AS date[]))
)
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)')
FROM ids LEFT JOIN core.truck USING (truck_id) ORDER BY truck_id"""


def _trucks(db: sa.Connection, scope: Scope, weeks: Sequence[date], limits: Limits) -> list[tuple[float, Attention]]:
    parameters = bound(scope) | {"days": [scope.last, *weeks]}
    rows = db.execute(sa.text(_SOLD), parameters)
    sold = {(row.business_date, row.truck_id): _Sold(*row[2:]) for row in rows}
    found = []
    for truck_id, truck in db.execute(sa.text(_NAMES), parameters):
        now = sold.get((scope.last, truck_id), _Sold())
        finding = _finding(truck, now, [sold.get((week, truck_id), _Sold()) for week in weeks], limits)
        if finding:
            weight, kind, text = finding
            found.append((weight, Attention(kind, truck_id, truck, text + _until(scope))))
    return found


def _finding(truck: str, now: _Sold, before: Sequence[_Sold], limits: Limits) -> tuple[float, str, str] | None:
    """(weight, kind, text) of the most important item about one truck."""
    pence = [week.pence for week in before]
    middle, (low, high) = round(median(pence)), _band(pence, limits)
    if not now.transactions and median(week.transactions for week in before) >= 1:
        return 3e9 + middle, "silent", f"{truck} has no sales; usually it has {pounds(middle)}"
    cards = median(week.card_transactions for week in before)
    if now.transactions >= limits.fewest_sales and not now.card_transactions and cards >= 1:
        text = f"{truck} took no card payment in {now.transactions:,} sales: its card reader may be down"
        return 2e9 + now.pence, "card_reader", text
    if middle and not low <= now.pence <= high:
        kind, word = ("sales_low", "below") if now.pence < low else ("sales_high", "above")
        change = abs(change_pct(now.pence, middle) or 0)
        return 1e9 + abs(now.pence - middle), kind, f"{truck} is {change:.0f}% {word} its usual {pounds(middle)}"
    return None


_ROWS = """
WITH rejected AS (
    SELECT business_date, sum(rows) AS rows FROM mart.rejected_daily
    WHERE business_date = ANY(CAST(:days AS date[])) GROUP BY business_date
),
loaded AS (
    SELECT business_date, sum(transactions) AS rows FROM mart.sales_hourly
    WHERE business_date = ANY(CAST(:days AS date[])) GROUP BY business_date
)
SELECT business_date, coalesce(rejected.rows, 0)::bigint AS rejected, coalesce(loaded.rows, 0)::bigint AS loaded
FROM loaded FULL JOIN rejected USING (business_date)"""


def _rejects(db: sa.Connection, scope: Scope, weeks: Sequence[date], limits: Limits) -> list[tuple[float, Attention]]:
    rows = db.execute(sa.text(_ROWS), {"days": [scope.last, *weeks]})
    counts = {row.business_date: (row.rejected, row.rejected + row.loaded) for row in rows}
    rejected, read = counts.get(scope.last, (0, 0))
    before = [100 * part / whole for part, whole in (counts.get(week, (0, 0)) for week in weeks) if whole]
    if rejected < limits.fewest_rejects or len(before) < limits.fewest_weeks:
        return []
    if 100 * rejected / read <= _band(before, limits)[1]:
        return []
    share = 100 * rejected / read
    text = f"{share:.1f}% of rows were rejected ({rejected:,}); usually {median(before):.1f}%"
    return [(1e9, Attention("rejects_up", None, None, text))]


def _band(values: Sequence[float], limits: Limits) -> tuple[float, float]:
    """Median +- 3 MAD (median absolute deviation), at least 10% of the median wide each way (or other limits)."""
    middle = median(values)
    width = max(limits.deviations * median(abs(value - middle) for value in values), middle * limits.least_pct / 100)
    return middle - width, middle + width


def _until(scope: Scope) -> str:
    return "" if scope.until_hour is None else f" (by {scope.until_hour:02d}:00)"
