"""The period of a report: a business day, a week from Monday, or a calendar month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Kind = Literal["day", "week", "month"]
# For how many days after its end a missed report is still made.
CATCH_UP = {"day": 1, "week": 3, "month": 7}


@dataclass(frozen=True)
class Period:
    """Business days first..last, both included; `last` is the date under which its reports are kept."""

    kind: Kind
    first: date
    last: date

    @property
    def before(self) -> "Period":
        """The period that it is compared with: the week or month before, or the same weekday a week before."""
        step = timedelta(days=7 if self.kind == "day" else 1)
        return of(self.kind, self.first - step)

    @property
    def dates(self) -> str:
        """Thursday 5 November 2026; 2–8 November 2026; November 2026."""
        if self.kind == "month":
            return f"{self.last:%B %Y}"
        last = f"{self.last.day} {self.last:%B %Y}"
        if self.kind == "day":
            return f"{self.last:%A} {last}"
        first = f"{self.first.day}" if self.first.month == self.last.month else f"{self.first.day} {self.first:%B}"
        year = f" {self.first.year}" if self.first.year != self.last.year else ""
        return f"{first}{year}–{last}" if first.isdecimal() else f"{first}{year} – {last}"

    @property
    def short(self) -> str:
        """Thu 5 Nov 2026; week to 8 Nov 2026; Nov 2026."""
        day = f"{self.last.day} {self.last:%b %Y}"
        return {"day": f"{self.last:%a} {day}", "week": f"week to {day}", "month": f"{self.last:%b %Y}"}[self.kind]


def of(kind: Kind, day: date) -> Period:
    """The period that a day lies in."""
    if kind == "day":
        return Period(kind, day, day)
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(kind, monday, monday + timedelta(days=6))
    first = day.replace(day=1)
    return Period(kind, first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def latest(kind: Kind, today: date) -> Period:
    """The last period that was over before a business day."""
    return of(kind, of(kind, today).first - timedelta(days=1))


def part_of_month(first: date, last: date) -> str:
    """The days of a month that count, where not all do: from 9 Jul; to 28 Nov; 3 to 28 Nov."""
    if first.day > 1 and last == of("month", first).last:
        return f"from {first.day} {first:%b}"
    return f"{'' if first.day == 1 else f'{first.day} '}to {last.day} {last:%b}"
