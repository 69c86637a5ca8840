"""Dates, periods and comparisons in British English."""

from datetime import date, datetime
from math import isnan

from t3lib.metrics import Scope
from t3lib.money import pounds
from t3lib.settings import settings


def day(value: date) -> str:
    """Sunday 22 November 2026."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def short_day(value: date, today: date | None = None) -> str:
    """Sun 22 Nov; with the year where it is not that of `today`."""
    year = f" {value.year}" if today and value.year != today.year else ""
    return f"{value:%a} {value.day} {value:%b}{year}"


def picked(value: date) -> str:
    """22 Nov 2026, as the date fields show it."""
    return f"{value.day} {value:%b %Y}"


def period(scope: Scope) -> str:
    """The business days of a scope; the year once where it is the same."""
    if scope.days == 1:
        return day(scope.first)
    first = f"{scope.first.day} {scope.first:%B}"
    year = f" {scope.first.year}" if scope.first.year != scope.last.year else ""
    return f"{first}{year} – {scope.last.day} {scope.last:%B %Y}"


def clock(moment: datetime | None, today: date) -> str:
    """13:41 for a moment of today, else Sat 21 Nov 13:41, in the zone of the business day."""
    if moment is None:
        return "never"
    local = moment.astimezone(settings().zone)
    time = f"{local:%H:%M}"
    return time if local.date() == today else f"{short_day(local.date())} {time}"


def last_seen(moment: datetime, today: date) -> str:
    """When a truck last sold, in a narrow column: 13:41, Sat 13:41 within a week, else 21 Nov."""
    local = moment.astimezone(settings().zone)
    days = (today - local.date()).days
    if days <= 0:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if days < 7 else f"{local.day} {local:%b}"


def signed(pence: int) -> str:
    """A change in pounds with its sign; a dash for none."""
    return f"{'+' if pence > 0 else ''}{pounds(pence)}" if pence else "–"


def percent(value: float | None) -> str:
    """12.3%, or an en dash for a share of nothing."""
    return "–" if value is None or isnan(value) else f"{value:,.1f}%"


def day_before(scope: Scope, against: str = "weekdays") -> str:
    """The days that a scope is compared with: the Sunday before; the same days a week before; the 28 days before."""
    if against == "period":
        return "the day before" if scope.days == 1 else f"the {scope.days:,} days before"
    if against == "year":
        return f"{scope.first:%A} 52 weeks before" if scope.days == 1 else "the same weekdays a year before"
    if scope.days == 1:
        return f"the {scope.first:%A} before"
    weeks = -(-scope.days // 7)
    return "the same days a week before" if weeks == 1 else f"the same weekdays {weeks} weeks before"


def compared_with(scope: Scope, until_hour: int | None, against: str = "weekdays") -> str:
    """The same, with the time of day at which the comparison stops: the Sunday before, by 13:00."""
    days = day_before(scope, against)
    begun = until_hour is not None and until_hour != settings().business_day_start.hour
    return f"{days}, by {until_hour:02d}:00" if begun else days


def usual(scope: Scope, weeks: int) -> str:
    """The mean that a figure is compared with: usual Sunday (4-week average)."""
    if scope.days == 1:
        return f"usual {scope.first:%A} ({weeks}-week average)" if weeks > 1 else f"usual {scope.first:%A}"
    return f"usual ({weeks} such periods before)" if weeks > 1 else "the period before"
