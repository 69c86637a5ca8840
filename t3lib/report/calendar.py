"""Bank holidays, and the sentence about them in a report."""

from datetime import date, timedelta
from functools import cache

from t3lib.report import words
from t3lib.report.day import Day
from t3lib.settings import SettingsError, settings


def holiday(day: date) -> str:
    """The name of a bank holiday of `T3_HOLIDAYS`; empty for another day."""
    return _holidays(settings().holidays).get(day) or ""


def holiday_sentence(day: Day) -> str:
    """A sentence about the holidays of a period, or the one that it is compared with; empty for ordinary days."""
    first, last = day.period.first, day.period.last
    if day.period.kind != "day":
        found = _holidays_between(first, last)
        return f"{found} {'was a bank holiday' if found.count('(') == 1 else 'were bank holidays'}." if found else ""
    weekday = f"{last:%A}"
    if name := holiday(last):
        return f"{weekday} was a bank holiday ({name})."
    if day.before is not None and (name := holiday(last - timedelta(days=7))):
        return f"Last {weekday} was a bank holiday ({name})."
    return ""


def _holidays_between(first: date, last: date) -> str:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found = [f"{words.weekday(one)} {one.day} {one:%b} ({holiday(one)})" for one in days if holiday(one)]
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


@cache
def _holidays(place: str) -> dict[date, str]:
    if place == ",":
        return {}
    import holidays  # takes half a second, and most commands do not need it

    country, _, part = place.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError as error:
        raise SettingsError(f"T3_HOLIDAYS: {error}; write one like GB-ENG, or a comma for none.") from None
