"""The day by the hour against the usual, as a picture, its words and its figures."""

import base64
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from t3lib.report import chart, words
from t3lib.report.block import TEXT_WIDTH, folded
from t3lib.report.day import Day
from t3lib.report.edition import section
from t3lib.settings import settings

DARK = "application/vnd.t3.dark+png"


@dataclass(frozen=True)
class Picture:
    """A PNG for light and one for dark, with the words that stand for it."""

    title: str
    alt: str
    text: str
    light: bytes
    dark: bytes
    width: int = chart.WIDTH

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        light, dark = (base64.b64encode(png).decode() for png in (self.light, self.dark))
        about = {"width": self.width, "alt": self.alt, "title": self.title}
        return {"image/png": light, DARK: dark, "text/plain": self.text}, {"image/png": about}


@section
def hours(day: Day) -> Picture | None:
    """The edition's measure by local hour against the usual; nothing when neither has any."""
    found = _hours(day)
    if not found:
        return None
    names = (f"{day.business_date:%A} {day.business_date.day} {day.business_date:%B}", f"usual {day.business_date:%A}")
    money = day.edition.measure.endswith("_pence")
    title, alt = "Sales by hour" if money else "Number of sales by hour", _alt(day)
    text = "\n".join([title.upper(), "", *_lines(found, day.edition.measure), "", folded(alt)])
    drawn = [replace(hour, label=_tick(hour.label, n)) for n, hour in enumerate(found)]
    light, dark = (chart.by_hour(drawn, names, money, palette) for palette in (chart.LIGHT, chart.DARK))
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


def _alt(day: Day) -> str:
    measure, title = day.edition.measure, "Sales by hour"
    unit = "" if measure.endswith("_pence") else " sales"
    whole = f"{words.amount(getattr(day.sales, measure), measure)}{unit} over the day"
    if day.usual:
        whole += f"; a usual {day.business_date:%A} has {words.amount(getattr(day.usual, measure), measure)}"
    if not day.sales.transactions:
        return f"{title}: {whole}."
    top = day.hours.loc[day.hours[measure].idxmax()]
    most = f"most from {words.hour(int(top.local_hour))} with {words.amount(int(top[measure]), measure)}"
    return f"{title}: {most}; {whole}."


def _lines(found: list[chart.Hour], measure: str) -> list[str]:
    """A bar of characters per hour, for readers of the plain part."""
    most = max(max(hour.size, hour.usual or 0) for hour in found) or 1
    room = TEXT_WIDTH - 42
    shown = []
    for hour in found:
        usual = "" if hour.usual is None else f"  usual {words.amount(hour.usual, measure):>9}"
        bar = "#" * round(room * hour.size / most)
        shown.append(f"{hour.label:>5}  {words.amount(hour.size, measure):>9}{usual}  {bar}".rstrip())
    return shown


def _clock(hour: int) -> str:
    return f"{hour % 12 or 12}{'am' if hour < 12 else 'pm'}"


def _tick(label: str, place: int) -> str:
    """am and pm only where they begin, so that sixteen hours fit."""
    return label if place == 0 or label in ("12am", "12pm") else label[:-2]
