"""Twelve months: by month and by truck, growth like for like, seasons, and trucks that are new."""

import calendar
from datetime import date
from typing import Any

import pandas as pd

from t3lib.metrics import change_pct
from t3lib.report import chart, words
from t3lib.report.block import Block, Cell, Tone, section, table
from t3lib.report.buyers_pack import MONTHS, needed
from t3lib.report.day import Day
from t3lib.report.sections.hours import Picture, picture

RAMP_WEEKS = (1, 2, 4, 8, 12)
_SEASON = ("Truck days", "Sales per truck and day", "Index")


@section
def months(day: Day) -> Picture | None:
    """Sales of twelve months, each against the same month a year before where the data hold it."""
    measure, known = day.edition.measure, _by_month(day)
    if not known:
        return None
    found = []
    for first in _last_months(day.period.last, MONTHS):
        before = known.get(first.replace(year=first.year - 1))
        found.append(chart.Hour(f"{first:%b}", known.get(first, 0), before))
    title = f"{'Sales' if measure.endswith('_pence') else 'Number of sales'} by month"
    total = words.amount(sum(month.size for month in found), measure)
    now = words.amount(found[-1].size, measure)
    alt = f"{title}: {now} in {day.period.last:%B %Y}; {total} in the twelve months up to its end."
    return picture(title, alt, found, found, ("twelve months", "the year before"), measure, "before")


@section
def like_for_like(day: Day) -> Block:
    """Growth of the trucks that sold in both: the period, and twelve months, each against the year before."""
    title, grown = "Like for like", needed(day.pack.like_for_like)
    named = ((day.period.dates, grown.period), ("Twelve months", grown.year))
    rows = [
        [
            Cell(f"{name} ({one.like_for_like_trucks} {'truck' if one.like_for_like_trucks == 1 else 'trucks'})"),
            Cell(words.pounds(one.like_for_like_pence)),
            Cell(words.pounds(one.like_for_like_before_pence)),
            Cell(words.change(one.like_for_like_pct), "", _tone(one.like_for_like_pct)),
        ]
        for name, one in named
        if one and one.like_for_like_trucks
    ]
    note = "Only trucks that sold in both periods are compared; new trucks and those that stopped are left out."
    if not grown.year:
        what = "a year of data" if not grown.period else "two years of data"
        note = f"Needs {what} before it: the data do not reach back that far." + (f" {note}" if rows else "")
    return table(title, ["", "Sales", "Year before", "Change"] if rows else [], rows, note)


@section
def trailing(day: Day) -> Block:
    """Twelve months by truck, the largest first."""
    found = needed(day.pack.trailing)
    rows = [_truck(row) for row in found.itertuples()]
    compared = bool(len(rows)) and found["trailing_before_pence"].notna().all()
    note = "" if compared else "The data hold no earlier year to compare with."
    short = found[found["trailing_months"].between(1, MONTHS - 1)]
    if len(short):
        note = f"{note} In brackets: the months with a sale, where there are fewer than twelve.".strip()
    columns = ["Truck", "Twelve months", "Share", "vs year before"]
    if not compared:
        columns, rows = columns[:3], [row[:3] for row in rows]
    more = len(rows) - day.edition.rows
    if more > 0:
        note = f"{more:,} smaller trucks are not shown. {note}".strip()
    return table("Twelve months by truck", columns if rows else [], rows[: day.edition.rows], note)


@section
def concentration(day: Day) -> Block:
    """How much of the sales depends on the largest truck."""
    title, found = "Concentration", day.pack.concentration
    if found is None:
        return table(title, [], [], "No sales in these twelve months.")
    rows = [
        [Cell("Largest truck"), Cell(words.line(found.top_truck))],
        [Cell("Its share of twelve months"), Cell(words.share(found.top_share_pct))],
        [Cell("Herfindahl-Hirschman index"), Cell(f"{found.hhi:,}")],
    ]
    trucks = len(day.pack.trailing) if day.pack.trailing is not None else 0
    even = f" {trucks} trucks of the same size would have {round(10_000 / trucks):,}." if trucks > 1 else ""
    return table(title, ["", "Twelve months"], rows, f"The index is 10,000 when one truck makes all sales.{even}")


@section
def seasonality(day: Day) -> Block:
    """Sales per truck and day by month of the year; 100 is the mean."""
    title, found = "Seasons", needed(day.pack.seasonality)
    if found.empty:
        return table(title, [], [], "No sales in these twelve months.")
    rows = [_season(f"{date(2000, int(row.season), 1):%B}", row) for row in found.itertuples()]
    note = "An index of 100 is the mean of all truck days, so that a growing fleet does not look like a season."
    if len(found) < MONTHS:
        note += f" Only {len(found)} {'month has' if len(found) == 1 else 'months have'} sales: no full year yet."
    return table(title, ["Month", *_SEASON], rows, note)


@section
def weekdays(day: Day) -> Block:
    """The same by weekday."""
    rows = [_season(calendar.day_name[int(row.season) - 1], row) for row in needed(day.pack.weekdays).itertuples()]
    return table("Weekdays", ["Weekday", *_SEASON] if rows else [], rows, "" if rows else "No sales.")


@section
def ramp(day: Day) -> Block:
    """New trucks by week since their first sale, as a share of what an established truck sold in the same days."""
    title, found = "New trucks", needed(day.pack.ramp)
    if found.empty:
        none = "No truck made its first sale in these twelve months and at least 28 days after the data begin."
        return table(title, [], [], none)
    weeks = [week for week in RAMP_WEEKS if week <= int(found["ramp_week"].max())][-3:]
    rows = []
    for (_, truck), own in found.groupby(["first_sale_on", "truck"]):
        known = {int(row.ramp_week): row.ramp_pct for row in own.itertuples()}
        since = own["first_sale_on"].iloc[0]
        cells = [Cell("–" if pd.isna(known.get(week)) else f"{known[week]:.0f}%") for week in weeks]
        rows.append([Cell(words.line(str(truck)), f"since {since.day} {since:%b %Y}"), *cells])
    return table(
        title,
        ["Truck", *(f"Week {week}" for week in weeks)],
        rows[: day.edition.rows],
        "As a share of what an established truck sold in the same seven days.",
    )


def _by_month(day: Day) -> dict[date, int]:
    frame = needed(day.pack.months)
    return dict(zip(frame["period_first"], frame[day.edition.measure].map(int), strict=True))


def _last_months(last: date, count: int) -> list[date]:
    """First days of so many months, the last one's included."""
    newest = last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(newest - count + 1, newest + 1)]


def _truck(row: Any) -> list[Cell]:
    part = row.trailing_months < MONTHS and row.trailing_months
    name = Cell(words.line(row.truck), f"({row.trailing_months})" if part else "")
    cells = [name, Cell(words.pounds(int(row.trailing_pence))), Cell(words.share(row.trailing_share_pct))]
    if pd.isna(row.trailing_before_pence) or not row.trailing_before_pence:
        return [*cells, Cell("new", "", "muted")]
    pct = change_pct(int(row.trailing_pence), int(row.trailing_before_pence))
    return [*cells, Cell(words.change(pct), "", _tone(pct))]


def _season(name: str, row: Any) -> list[Cell]:
    pence = None if pd.isna(row.sales_per_truck_day_pence) else int(row.sales_per_truck_day_pence)
    return [Cell(name), Cell(f"{int(row.truck_days):,}"), Cell(words.pounds(pence)), Cell(f"{row.season_index:.0f}")]


def _tone(pct: float | None) -> Tone:
    return "" if not pct or not words.half_away(pct) else "up" if pct > 0 else "down"
