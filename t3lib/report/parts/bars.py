"""Bars beside what they are compared with: hours of a day, days of a week, months of a year; picture, text, figures."""

import base64
import calendar
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from t3lib.charts.palette import DARK, LIGHT
from t3lib.report import chart, words
from t3lib.report.block import TEXT_WIDTH, folded
from t3lib.report.chart import Hour
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.parts.partial import Partial
from t3lib.settings import settings

DARK_PNG = "application/vnd.t3.dark+png"
MONTHS = 12


@dataclass(frozen=True)
class Picture:
    """Bars as a PNG for light and one for dark, drawn when they are shown; with a text alternative."""

    title: str
    alt: str
    text: str
    ticks: list[Hour]
    names: tuple[str, str]
    is_money: bool

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        drawn = (chart.by_hour(self.ticks, self.names, self.is_money, palette) for palette in (LIGHT, DARK))
        light, dark = (base64.b64encode(png).decode() for png in drawn)
        about = {"width": chart.WIDTH, "alt": self.alt, "title": self.title}
        return {"image/png": light, DARK_PNG: dark, "text/plain": self.text}, {"image/png": about}


def bars(
    day: Day,
    title: str,
    rows: pd.DataFrame,
    alt: str,
    *,
    then: str = "usual",
    names: tuple[str, str] | None = None,
    partial: Partial | None = None,
) -> Picture | None:
    """One bar per row of the edition's measure, and a line for what it was `then` (usual or before).

    The first column is what the bars are by: local_hour, weekday or period_first; hours and days without a row are
    drawn as zero. `alt` says in a sentence what the picture shows, for those who do not see it. `names` are those of
    bars and lines; they explain the stars at the months of `partial`. None without rows."""
    by = str(rows.columns[0])
    if by not in _ORDERED:
        raise ValueError(f"Bars stand by {', '.join(_ORDERED)}; the first column is {by!r}.")
    found = _ORDERED[by](_sizes(rows, day.measure, then), None if day.usual is None else 0) if len(rows) else []
    if not found:
        return None
    ticks = [replace(one, label=_tick(one.label, n)) for n, one in enumerate(found)] if by == "local_hour" else found
    names = names or _names(day)
    if partial and partial.said:
        found = ticks = _starred(found, rows.iloc[:, 0], partial)
        names = _explained(names, partial)
    text = "\n".join([title.upper(), "", *_lines(found, day.measure, then), "", folded(alt)])
    return Picture(title, alt, text, ticks, names, day.measure.endswith("_pence"))


def beside_year_before(day: Day, months: pd.DataFrame) -> pd.DataFrame:
    """The last twelve of the months of `metrics.by_period`, each beside the same month a year before (`_before`,
    missing where the data do not hold it); a month without a sale is 0."""
    measure = day.measure
    known = {} if months.empty else dict(zip(months["period_first"], months[measure].map(int), strict=True))
    last = day.period.last.year * 12 + day.period.last.month - 1
    firsts = [date(n // 12, n % 12 + 1, 1) for n in range(last - MONTHS + 1, last + 1)] if known else []
    before = pd.array([known.get(first.replace(year=first.year - 1)) for first in firsts], "Int64")
    sizes = pd.array([known.get(first, 0) for first in firsts], "Int64")
    return pd.DataFrame({"period_first": firsts, measure: sizes, f"{measure}_before": before})


def _starred(found: list[Hour], months: pd.Series, partial: Partial) -> list[Hour]:
    """Bars with a star where they are partial, or the lines beside them, which are a year older."""
    stars = [partial.star(first, first.replace(year=first.year - 1)) for first in months]
    return [replace(one, label=one.label + star) for one, star in zip(found, stars, strict=True)]


def _explained(names: tuple[str, str], partial: Partial) -> tuple[str, str]:
    """The second name, with what the stars mean: the year before (* from 9 Jul 2025)."""
    stars = ", ".join(f"{days} {first.year}" for first, days in partial.said.items())
    return names[0], f"{names[1]} (* {stars})"


def _sizes(rows: pd.DataFrame, measure: str, then: str) -> dict[Any, tuple[int, int | None]]:
    columns = zip(rows.iloc[:, 0], rows[measure], rows[f"{measure}_{then}"], strict=True)
    return {key: (int(now), None if pd.isna(was) else int(was)) for key, now, was in columns}


def _names(day: Day) -> tuple[str, str]:
    last = day.business_date
    now = f"{last:%A} {last.day} {last:%B}" if day.period.kind == "day" else day.period.dates
    return now, comparison_names(day).usual.removeprefix("a ")


_Sizes = dict[Any, tuple[int, int | None]]


def _hours(sizes: _Sizes, none: int | None) -> list[Hour]:
    """Every hour from the first to the last with sales on either side, in the order of the business day."""
    start = settings().business_day_start.hour
    known = {(int(hour) - start) % 24: size for hour, size in sizes.items()}
    return [Hour(_clock((n + start) % 24), *known.get(n, (0, none))) for n in range(min(known), max(known) + 1)]


def _weekdays(sizes: _Sizes, none: int | None) -> list[Hour]:
    known = {int(day): size for day, size in sizes.items()}
    return [Hour(name, *known.get(n, (0, none))) for n, name in enumerate(calendar.day_abbr, 1)]


def _months(sizes: _Sizes, none: int | None) -> list[Hour]:
    return [Hour(f"{first:%b}", *size) for first, size in sizes.items()]


_ORDERED: dict[str, Callable[[_Sizes, int | None], list[Hour]]] = {
    "local_hour": _hours,
    "weekday": _weekdays,
    "period_first": _months,
}


def _lines(found: list[Hour], measure: str, against: str) -> list[str]:
    """A bar of characters per hour, for readers of the plain part."""
    most = max(max(hour.size, hour.usual or 0) for hour in found) or 1
    wide = max(9, *(len(words.amount(size, measure)) for hour in found for size in (hour.size, hour.usual or 0)))
    label = max(5, *(len(hour.label) for hour in found))
    room = TEXT_WIDTH - 2 * wide - label - len(against) - 8
    shown = []
    for hour in found:
        usual = "" if hour.usual is None else f"  {against} {words.amount(hour.usual, measure):>{wide}}"
        bar = "#" * round(room * hour.size / most)
        shown.append(f"{hour.label:>{label}}  {words.amount(hour.size, measure):>{wide}}{usual}  {bar}".rstrip())
    return shown


def _clock(hour: int) -> str:
    return f"{hour % 12 or 12}{'am' if hour < 12 else 'pm'}"


def _tick(label: str, place: int) -> str:
    """am and pm only where they begin, so that sixteen hours fit."""
    return label if place == 0 or label in ("12am", "12pm") else label[:-2]
