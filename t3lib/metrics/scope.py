"""The scope of a figure: business days, trucks, places, payments, and the time of day at which it stops."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from t3lib.settings import settings


@dataclass(frozen=True)
class Scope:
    """Business dates first..last, both included; an empty tuple means all.

    `until_hour` cuts the last day: only its local hours before that hour count, in the order of the
    business day (so 1 takes in the evening and the hour after midnight). None means the whole day.
    `menus` are menu types as `by_menu_type` names them."""

    first: date
    last: date
    trucks: tuple[int, ...] = ()
    locations: tuple[int, ...] = ()
    payments: tuple[str, ...] = ()
    until_hour: int | None = None
    menus: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"the range ends ({self.last}) before it starts ({self.first})")
        if self.until_hour is not None and not 0 <= self.until_hour <= 23:
            raise ValueError(f"until_hour is an hour from 0 to 23, not {self.until_hour}")

    def _repr_markdown_(self) -> str:
        days = "1 business day" if self.days == 1 else f"{self.days} business days"
        parts = {"truck": self.trucks, "place": self.locations, "payment": self.payments, "menu": self.menus}
        chosen = [f"{name} {', '.join(map(str, values))}" for name, values in parts.items() if values]
        until = [] if self.until_hour is None else [f"to {self.until_hour:02d}:00"]
        return "; ".join([f"{days}, {self.first:%a %-d %b %Y} to {self.last:%a %-d %b %Y}", *until, *chosen])

    @property
    def days(self) -> int:
        """Number of business days."""
        return (self.last - self.first).days + 1


def same_weekdays_before(scope: Scope, weeks: int = 1) -> list[Scope]:
    """The same weekdays before, nearest first, `weeks` of them.

    A day is compared with the day a week before. A longer range is shifted back by whole weeks: by the
    smallest multiple of seven days that is not shorter than the range, so that the two never overlap.
    `until_hour` is kept, so that a day that still trades is compared with the same time of the days before.

    >>> [str(before.first) for before in metrics.same_weekdays_before(week, 2)]
    ['2026-10-26', '2026-10-19']
    """
    step = timedelta(days=-(-scope.days // 7) * 7)
    return [replace(scope, first=scope.first - n * step, last=scope.last - n * step) for n in range(1, weeks + 1)]


def earlier(scope: Scope, against: str = "weekdays") -> Scope | None:
    """What a scope is compared with: 'weekdays' (the same ones before), 'period' (as many days right before),
    'year' (52 weeks before, so that weekdays match; the next such multiple for longer ranges); else None.

    >>> before = metrics.earlier(week)
    >>> str(before.first), str(before.last)
    ('2026-10-26', '2026-11-01')
    >>> str(metrics.earlier(week, "year").first)
    '2025-11-03'
    """
    days = {
        "weekdays": -(-scope.days // 7) * 7,
        "period": scope.days,
        "year": -(-scope.days // 364) * 364,
    }.get(against)
    if days is None:
        return None
    step = timedelta(days=days)
    return replace(scope, first=scope.first - step, last=scope.last - step)


def bound(scope: Scope) -> dict[str, Any]:
    """The scope as parameters of a query that starts with `SCOPED`."""
    start = settings().business_day_start.hour
    return {
        "first": scope.first,
        "last": scope.last,
        "all_trucks": not scope.trucks,
        "trucks": list(scope.trucks),
        "all_locations": not scope.locations,
        "locations": list(scope.locations),
        "all_payments": not scope.payments,
        "payments": list(scope.payments),
        "all_menus": not scope.menus,
        "menus": list(scope.menus),
        "day_start": start,
        "zone": settings().timezone,
        "hours": 24 if scope.until_hour is None else (scope.until_hour - start) % 24,
    }


# The menu type of a sale is known by its truck, price and business day alone; join it by `ON_MENU`.
MENU = "menu AS (SELECT truck_id, price_pence, days, menu_type FROM core.menu_price)"
ON_MENU = "menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence AND menu.days @> sold.business_date"
# The rollup inside a scope: one row per truck x place x business date x local hour x payment. With menu types the
# rollup that also has prices is read (the planner drops the unused branch).
# hour_order counts hours from the start of the business day.
SCOPED = f"""
WITH {MENU},
rollup AS NOT MATERIALIZED (
    SELECT truck_id, business_date, local_hour, location_id, payment_type, transactions, total_pence
    FROM mart.sales_hourly
    WHERE :all_menus
    UNION ALL
    SELECT sold.truck_id, business_date, local_hour, location_id, payment_type, transactions,
           transactions * sold.price_pence::bigint
    FROM mart.price_hourly AS sold
    LEFT JOIN menu ON {ON_MENU}
    WHERE NOT :all_menus AND coalesce(menu_type, 'Not on the menu') = ANY(CAST(:menus AS text[]))
),
sales AS (
    SELECT truck_id, business_date, local_hour, (local_hour - :day_start + 24) % 24 AS hour_order,
           location_id, payment_type, transactions, total_pence
    FROM rollup
    WHERE business_date BETWEEN :first AND :last
      AND (:all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])))
      AND (:all_locations OR location_id = ANY(CAST(:locations AS integer[])))
      AND (:all_payments OR payment_type = ANY(CAST(:payments AS text[])))
      AND (business_date < :last OR (local_hour - :day_start + 24) % 24 < :hours)
)"""
