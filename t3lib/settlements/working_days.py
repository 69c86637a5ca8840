"""Working days: Monday to Friday without the bank holidays of a part of the United Kingdom."""

from datetime import date, timedelta
from functools import cache

_PARTS = {"England": "ENG", "Wales": "WLS", "Scotland": "SCT", "Northern Ireland": "NIR"}


@cache
def _holidays(part: str, year: int) -> frozenset[date]:
    import holidays  # a tenth of a second that only matching needs

    return frozenset(holidays.country_holidays("GB", subdiv=_PARTS[part], years=year))


def is_working_day(day: date, part: str = "England") -> bool:
    """Whether banks work on a day."""
    return day.weekday() < 5 and day not in _holidays(part, day.year)


@cache
def after(day: date, days: int, part: str = "England") -> date:
    """The working day that is so many working days after a day; with 0 the day itself or the next working day."""
    found = day
    for _ in range(days):
        found = _next(found + timedelta(days=1), part)
    return _next(found, part)


def _next(day: date, part: str) -> date:
    while not is_working_day(day, part):
        day += timedelta(days=1)
    return day
