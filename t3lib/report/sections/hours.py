"""A day by the hour and a week by the day, each against the usual: picture, text and figures."""

import base64
import calendar
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from t3lib.charts.palette import DARK, LIGHT
from t3lib.report import chart, words
from t3lib.report.block import TEXT_WIDTH, folded, section
from t3lib.report.buyers_pack import needed
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.settings import settings

DARK_PNG = "application/vnd.t3.dark+png"


@dataclass(frozen=True)
class Picture:
    """A PNG for light and one for dark, with its text alternative."""

    title: str
    alt: str
    text: str
    light: bytes
    dark: bytes
    width: int = chart.WIDTH

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        light, dark = (base64.b64encode(png).decode() for png in (self.light, self.dark))
        about = {"width": self.width, "alt": self.alt, "title": self.title}
        return {"image/png": light, DARK_PNG: dark, "text/plain": self.text}, {"image/png": about}


@section
def hours(day: Day) -> Picture | None:
    """The edition's measure by local hour against the usual; nothing when neither has any."""
    found = _hours(day)
    if not found:
        return None
    top = day.hours.loc[day.hours[day.edition.measure].idxmax()] if day.sales.transactions else None
    most = "" if top is None else f"from {words.hour(int(top.local_hour))}"
    ticks = [replace(hour, label=_tick(hour.label, n)) for n, hour in enumerate(found)]
    return _picture(day, "hour", found, ticks, most)


@section
def days(day: Day) -> Picture | None:
    """The edition's measure by weekday against the usual; nothing when neither has any."""
    known = {int(row.weekday): row for row in needed(day.days).itertuples()}
    if not known:
        return None
    measure = day.edition.measure
    none = None if day.usual is None else 0
    found = [
        chart.Hour(name, int(getattr(known[n], measure)), _whole(getattr(known[n], f"{measure}_usual")))
        if n in known else chart.Hour(name, 0, none)
        for n, name in enumerate(calendar.day_abbr, 1)
    ]  # fmt: skip
    top = max(range(7), key=lambda n: found[n].size)
    return _picture(day, "day", found, found, f"on {calendar.day_name[top]}" if found[top].size else "")


def _picture(day: Day, grain: str, found: list[chart.Hour], ticks: list[chart.Hour], most: str) -> Picture:
    """The picture of a period by its hours or days; `most` names the hour or day with the most."""
    measure, usual = day.edition.measure, comparison_names(day).usual
    title = f"{'Sales' if measure.endswith('_pence') else 'Number of sales'} by {grain}"
    now = f"{day.business_date:%A} {day.business_date.day} {day.business_date:%B}"
    names = (now if day.period.kind == "day" else day.period.dates, usual.removeprefix("a "))
    return picture(title, _alt(day, grain, found, most), found, ticks, names, measure)


def picture(
    title: str,
    alt: str,
    found: list[chart.Hour],
    ticks: list[chart.Hour],
    names: tuple[str, str],
    measure: str,
    against: str = "usual",
) -> Picture:
    """Bars beside what they are compared with: one picture for light and one for dark, and the figures as text."""
    text = "\n".join([title.upper(), "", *_lines(found, measure, against), "", folded(alt)])
    money = measure.endswith("_pence")
    light, dark = (chart.by_hour(ticks, names, money, palette) for palette in (LIGHT, DARK))
    return Picture(title, alt, text, light, dark)


def _hours(day: Day) -> list[chart.Hour]:
    """Every hour from the first to the last with sales on either side, in the order of the business day."""
    start, measure = settings().business_day_start.hour, day.edition.measure
    known: dict[int, tuple[int, int | None]] = {}
    for row in day.hours.itertuples():
        usual = getattr(row, f"{measure}_usual")
        known[(row.local_hour - start) % 24] = (int(getattr(row, measure)), None if pd.isna(usual) else int(usual))
    nothing = (0, 0 if day.usual else None)
    span = range(min(known), max(known) + 1) if known else []
    return [chart.Hour(_clock((n + start) % 24), *known.get(n, nothing)) for n in span]


def _alt(day: Day, grain: str, found: list[chart.Hour], most: str) -> str:
    measure, title = day.edition.measure, f"Sales by {grain}"
    unit = "" if measure.endswith("_pence") else " sales"
    total = f"{words.amount(getattr(day.sales, measure), measure)}{unit} over the {day.period.kind}"
    if day.usual:
        usual = words.amount(getattr(day.usual, measure), measure)
        total += f"; {comparison_names(day).usual} {'has' if day.period.kind != 'month' else 'had'} {usual}"
    if not most:
        return f"{title}: {total}."
    return f"{title}: most {most} with {words.amount(max(hour.size for hour in found), measure)}; {total}."


def _whole(value: float) -> int | None:
    return None if pd.isna(value) else int(value)


def _lines(found: list[chart.Hour], measure: str, against: str) -> list[str]:
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
