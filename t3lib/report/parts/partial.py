"""Months of which not every day counts: the mark beside their names, and the sentence that says it."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from t3lib import metrics
from t3lib.period import part_of_month
from t3lib.report.block import Cell
from t3lib.report.day import Day
from t3lib.report.parts.units import written


@dataclass(frozen=True)
class Partial:
    """The partial months of some calendar months: which days count, by the month's first day."""

    said: dict[date, str]

    @property
    def note(self) -> str:
        """One sentence; empty if all months are whole."""
        months = ", ".join(f"{first:%B %Y} ({days})" for first, days in self.said.items())
        return f"Not a whole month: {months}." if months else ""

    def marked(self, months: Iterable[Any]) -> list[Cell]:
        """Names of months (first days, or numbers from 1 to 12) as cells, partial ones with the days that count."""
        numbers = {first.month: days for first, days in self.said.items()}
        return [Cell(_name(one), self.said.get(one) or numbers.get(one, "")) for one in months]

    def star(self, *months: date) -> str:
        """A star if one of these months is partial."""
        return "*" if any(month in self.said for month in months) else ""


def partial(day: Day, months: int) -> Partial:
    """The partial ones of so many calendar months up to the report's last day."""
    found = day.figure(metrics.partial_months, months=months)
    return Partial({row.period_first: part_of_month(row.first_day, row.last_day) for row in found.itertuples()})


def _name(month: Any) -> str:
    if isinstance(month, str):
        return month
    return written(month, "period_first") if isinstance(month, date) else calendar.month_name[int(month)]
