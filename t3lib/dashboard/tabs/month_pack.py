"""The month pack: what a buyer of the company wants to know, for the twelve months that end with the chosen days."""

import calendar
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html import graphs
from t3lib.dashboard.html.cards import Cell, Row, chart_table, message_card
from t3lib.dashboard.html.trucks import MOST_ROWS as MOST_TRUCKS
from t3lib.dashboard.tabs import partial_months
from t3lib.dashboard.tabs.context import Card, TabContext, card, change_cell, heading, percent
from t3lib.dashboard.tabs.partial_months import joined
from t3lib.metrics import Scope
from t3lib.metrics.sales.trailing import MONTHS
from t3lib.money import pounds

RAMP_WEEKS = (1, 2, 4, 8, 12)
WHOLE_ONLY = "Choose all places, menu types and payments: files are only known per truck and day."
NO_SALES = "No sales in these twelve months."


def trailing(db: sa.Connection, context: TabContext) -> str:
    """Each truck's sales of the twelve months and of the twelve before."""
    name, months = "Trailing twelve months", metrics.trailing_months(db, context.scope)
    found = metrics.trailing_by_truck(db, context.scope, by_month=months)
    if found.empty:
        return message_card(name, NO_SALES)
    shown = context.part("trailing", MOST_TRUCKS, len(found))
    rows: list[Row] = [
        (
            context.truck(row.truck_id, row.truck),
            pounds(row.trailing_pence),
            percent(row.trailing_share_pct),
            Cell(f"{row.trailing_months}", "t3-wide"),
            Cell(graphs.spark(_by_month(months, row.truck_id, context.scope)), "t3-wide", html=True),
            _year_before(row.trailing_before_pence),
            change_cell(row.trailing_pence, row.trailing_before_pence),
        )
        for row in found[shown.rows].itertuples()
    ]
    rows.append(_total(found))
    head = ("Truck", "Gross sales", "Share", Cell("Months", "t3-wide"), Cell("By month", "t3-wide"), "Year before",
            "Change")  # fmt: skip
    aside = formatting.period(_twelve(context.scope))
    if found["trailing_before_pence"].isna().all():
        aside += "; the data do not reach back to the year before"
    aside = joined(aside, partial_months.explained(partial_months.read(db, _twelve(context.scope))))
    return card(name, head, rows, "trailing_pence", aside, context.foot(shown))


def growth(db: sa.Connection, context: TabContext) -> str:
    """Like-for-like growth over a year, and how dependent sales are on a few trucks."""
    name, now = "Growth over the year", _twelve(context.scope)
    found, recorded = metrics.concentration(db, now), metrics.data_range(db)
    if found is None:
        return message_card(name, NO_SALES)
    before = metrics.year_before(now)
    rows: list[Row]
    if recorded and recorded[0] <= before.first:
        same = metrics.like_for_like(db, now, before)
        rows = [
            ("Like for like", change_cell(same.like_for_like_pence, same.like_for_like_before_pence)),
            ("Trucks in both years", f"{same.like_for_like_trucks:,}"),
        ]
    else:
        rows = [("Like for like", f"needs sales from {formatting.picked(before.first)} on")]
    rows += [
        ("Largest truck", Cell(found.top_truck, "t3-text")),
        ("Its share", formatting.percent(found.top_share_pct)),
        ("Concentration (HHI)", f"{found.hhi:,}"),
    ]
    return card(name, ("Measure", "Value"), rows, "like_for_like_pct")


def season(db: sa.Connection, context: TabContext) -> str:
    """Seasonal index by month."""
    return _seasons(db, context, "month", "Season", [calendar.month_abbr[n] for n in range(1, 13)])


def weekdays(db: sa.Connection, context: TabContext) -> str:
    """Seasonal index by weekday."""
    return _seasons(db, context, "weekday", "Weekdays over the year", list(calendar.day_abbr))


def newcomers(db: sa.Connection, context: TabContext) -> str:
    """Sales of new trucks, week by week, as a share of what an established truck sells."""
    name, found = "New trucks", metrics.ramp(db, _twelve(context.scope))
    if found.empty:
        return message_card(name, "No truck made its first sale in these months, or none is a week old yet.")
    rows = [
        (f"{truck} (from {formatting.picked(began)})", *(percent(_week(part, week)) for week in RAMP_WEEKS))
        for (_, truck, began), part in found.groupby(["truck_id", "truck", "first_sale_on"], sort=False)
    ]
    head = ("Truck", *(f"Week {week}" for week in RAMP_WEEKS))
    return card(name, head, rows, "ramp_pct", "of what an established truck sells in the same days")


def clean(db: sa.Connection, context: TabContext) -> str:
    """Share of the rows that became sales, by month."""
    name, scope = "Share of clean data", _twelve(context.scope)
    if scope.payments or scope.locations or scope.menus:
        return message_card(name, WHOLE_ONLY)
    partial = partial_months.read(db, scope)
    rows = [
        (_month(row.period_first, partial), f"{row.rows_read:,}", f"{row.rows_rejected:,}", percent(row.clean_pct))
        for row in metrics.clean_rate(db, scope).iloc[::-1].itertuples()
    ]
    aside = joined("rows whose day cannot be read are in the reconciliation only", partial_months.explained(partial))
    return card(name, ("Month", "Rows read", "Rejected", "Clean"), rows, "clean_pct", aside)


def reconciled(db: sa.Connection, context: TabContext) -> str:
    """From the rows of the files to the sales behind every figure."""
    name, scope = "Reconciliation", _twelve(context.scope)
    if scope.payments or scope.locations or scope.menus:
        return message_card(name, WHOLE_ONLY)
    found = metrics.reconciliation(db, scope)
    lines: list[Row] = [
        _reconciled_line(*line, files=found.ledger_files) for line in found.statement().itertuples(index=False)
    ]
    word = "agrees to the row and the penny" if found.agrees else "does not agree: t3 doctor says where"
    return card(name, ("Line", "Rows", "Gross sales"), lines, "agrees", word)


def _reconciled_line(line: str, rows: int, pence: Any, *, files: int) -> Row:
    """A line of the statement; the sums that other cards and the mail show are set off."""
    cells = (f"Rows of {files:,} files" if line == "Rows of the files" else line[:1].upper() + line[1:], f"{rows:,}",
             "" if pd.isna(pence) else pounds(int(pence)))  # fmt: skip
    return tuple(_strong(one) if line in ("Rows read", "Sales in the figures") else one for one in cells)


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-most", "Trailing twelve months", trailing),
    ("t3-third", "Growth over the year", growth),
    ("t3-half", "Season", season),
    ("t3-half", "Weekdays over the year", weekdays),
    ("t3-half t3-tall", "Share of clean data", clean),
    ("t3-half", "Reconciliation", reconciled),
    ("t3-half", "New trucks", newcomers),
)


def _twelve(scope: Scope) -> Scope:
    return metrics.periods_until(scope, "month", MONTHS)


def _seasons(db: sa.Connection, context: TabContext, grain: str, name: str, names: list[str]) -> str:
    """A column chart of a seasonal index; a month or weekday without sales has no column, a partial month a star."""
    found = metrics.seasonality(db, _twelve(context.scope), grain)
    if found.empty:
        return message_card(name, NO_SALES)
    partial = partial_months.read(db, _twelve(context.scope)) if grain == "month" else {}
    starred = {first.month for first in partial}
    names = [f"{name}*" if n in starred else name for n, name in enumerate(names, 1)]
    index = {row.season: row.season_index for row in found.itertuples()}
    shown = [(names[n - 1], round(index[n])) for n in range(1, len(names) + 1) if n in index]
    rows = [
        (
            names[row.season - 1],
            f"{row.season_index:,.0f}",
            pounds(row.sales_per_truck_day_pence),
            f"{row.truck_days:,}",
        )
        for row in found.itertuples()
    ]
    aside = "100 is the mean of a truck's day"
    if len(shown) < len(names):
        aside += f"; {len(shown)} of {len(names)} {grain}s so far"
    aside = joined(aside, partial_months.explained(partial))
    head = (grain.capitalize(), "Index", "Sales per truck and day", "Truck days")
    columns = graphs.columns([label for label, _ in shown], [value for _, value in shown], str, str)
    return heading(name, "season_index", aside) + columns + chart_table(name, head, rows)


def _by_month(months: pd.DataFrame, truck_id: int, scope: Scope) -> list[int]:
    """A truck's pence in each of the twelve months; zero without sales."""
    own = months[months["truck_id"] == truck_id]
    pence = dict(zip(own["period_first"], own["gross_sales_pence"], strict=True))
    first = _twelve(scope).first
    each = [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(MONTHS)]
    return [int(pence.get(month, 0)) for month in each]


def _total(found: pd.DataFrame) -> Row:
    now, before = int(found["trailing_pence"].sum()), found["trailing_before_pence"].sum(min_count=1)
    change = change_cell(now, before)
    return (_strong("All trucks"), _strong(pounds(now)), _strong(percent(100 if now else None)),
            Cell("", "t3-wide t3-total"), Cell("", "t3-wide t3-total"), _strong(_year_before(before)),
            Cell(change.text, f"{change.classes} t3-total", html=True))  # fmt: skip


def _year_before(pence: int | None) -> str:
    return "–" if pence is None or pd.isna(pence) else pounds(int(pence))


def _strong(text: str) -> Cell:
    return Cell(text, "t3-total")


def _week(part: pd.DataFrame, week: int) -> float | None:
    found = part.loc[part["ramp_week"] == week, "ramp_pct"]
    return None if found.empty else found.iloc[0]


def _month(first: date, partial: dict[date, str]) -> str:
    return partial_months.starred(f"{first:%b %Y}", first, partial)
