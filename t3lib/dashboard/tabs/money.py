"""Money: shares, growth, sales by week and month, contribution after costs."""

import calendar
from dataclasses import replace
from datetime import date, timedelta
from html import escape
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html import graphs
from t3lib.dashboard.html.cards import (
    Cell,
    Row,
    chart_table,
    choice,
    choice_cell,
    message_card,
    scrolling_table,
    table,
)
from t3lib.dashboard.html.trucks import MOST_ROWS as MOST_TRUCKS
from t3lib.dashboard.tabs import partial_months, profit, vat
from t3lib.dashboard.tabs.context import Card, TabContext, card, change_cell, heading, percent
from t3lib.metrics import Scope
from t3lib.metrics.sales.breakdown import inputs
from t3lib.money import pounds
from t3lib.problems import RefusedError

WEEKS, MONTHS, TREND_WEEKS = 13, 13, 8
GRID_DAYS = 14
WHOLE_TRUCKS = "Choose all places, menu types and payments: costs are only known per truck."
NEEDS_COSTS = "This needs metadata/costs.csv with the costs per truck or of the fleet."


def trucks(db: sa.Connection, context: TabContext) -> str:
    """Each truck's share, sales per trading hour, trend by week and change."""
    now = _pence(metrics.by_truck(db, context.comparable))
    before = _pence(metrics.by_truck(db, context.earlier)) if context.earlier else {}
    hours = metrics.per_trading_hour(db, context.scope).set_index("truck_id")
    weeks = metrics.by_week_and_truck(db, metrics.periods_until(context.scope, "week", TREND_WEEKS))
    found = metrics.truck_shares(db, context.scope)
    shown = context.part("trucks", MOST_TRUCKS, len(found))
    rows = [
        (
            context.truck(row.truck_id, row.truck),
            pounds(row.gross_sales_pence),
            percent(row.share_pct),
            Cell(_per_hour(hours, row.truck_id), "t3-wide"),
            Cell(graphs.spark(_weeks(weeks, row.truck_id)), "t3-wide", html=True),
            change_cell(now.get(row.truck_id), before.get(row.truck_id)),
        )
        for row in found[shown.rows].itertuples()
    ]
    head = (
        "Truck",
        "Gross sales",
        "Share",
        Cell("Per trading hour", "t3-wide"),
        Cell(f"{TREND_WEEKS} weeks", "t3-wide"),
        "Change",
    )
    aside = f"change on {context.against}" if context.earlier else ""
    return card("Trucks and their share", head, rows, "sales_per_hour_pence", aside, context.foot(shown))


def growth(db: sa.Connection, context: TabContext) -> str:
    """Like-for-like growth, and how dependent sales are on a few trucks."""
    found = metrics.concentration(db, context.scope)
    if found is None:
        return message_card("Growth and concentration", "No sales in this choice.")
    rows: list[Row] = []
    if context.earlier:
        same = metrics.like_for_like(db, context.comparable, context.earlier)
        rows += [
            ("Like for like", change_cell(same.like_for_like_pence, same.like_for_like_before_pence)),
            ("Trucks in both periods", f"{same.like_for_like_trucks:,}"),
        ]
    rows += [
        ("Largest truck", Cell(found.top_truck, "t3-text")),
        ("Its share", formatting.percent(found.top_share_pct)),
        ("Concentration (HHI)", f"{found.hhi:,}"),
    ]
    return card("Growth and concentration", ("Measure", "Value"), rows, "hhi")


def weeks(db: sa.Connection, context: TabContext) -> str:
    """The last weeks as columns."""
    return _periods(db, context, "week", WEEKS, "Sales by week")


def months(db: sa.Connection, context: TabContext) -> str:
    """The last months as columns."""
    return _periods(db, context, "month", MONTHS, "Sales by month")


def contribution(db: sa.Connection, context: TabContext) -> str:
    """From gross sales, cost by cost, to the contribution."""
    try:
        found = context.contribution(db)
    except RefusedError as error:
        return message_card("Contribution", str(error))
    if found is None:
        return message_card("Contribution", NEEDS_COSTS)
    rows: list[Row] = [("Gross sales", pounds(found.gross_sales_pence), "")]
    rows += [(_cost(name), pounds(-pence), _share(pence, found)) for name, pence in found.costs.items()]
    rows.append((Cell("Contribution", "t3-total"), Cell(pounds(found.contribution_pence), "t3-total"),
                 Cell(percent(found.margin_pct), "t3-total")))  # fmt: skip
    if found.without_goods_pence:
        rows.append(("Sales without a known cost of goods", pounds(found.without_goods_pence), ""))
    if found.without_vat_pence:
        rows.append(("Sales without a known VAT rate", pounds(found.without_vat_pence), ""))
    rows += _restated(db, context.scope)
    return card("Contribution", ("Line", "Amount", "Of sales"), rows, "contribution_pence", _whose(context.scope))


def margins(db: sa.Connection, context: TabContext) -> str:
    """Each truck's contribution, and the sales a day at which it breaks even."""
    name, scope = "Break-even by truck", context.scope
    if not inputs(db)["costs"]:
        return message_card(name, NEEDS_COSTS)
    if scope.payments or scope.locations or scope.menus:
        return message_card(name, WHOLE_TRUCKS)
    found = metrics.contribution_by_truck(db, scope)
    shown = context.part("margins", MOST_TRUCKS, len(found))
    rows = [
        (
            context.truck(row.truck_id, row.truck),
            pounds(row.contribution_pence),
            percent(row.margin_pct),
            "never" if pd.isna(row.break_even_transactions) else f"{row.break_even_transactions:,}",
            f"{row.transactions / row.trading_days:,.0f}",
        )
        for row in found[shown.rows].itertuples()
    ]
    head = ("Truck", "Before the fleet's costs", "Margin", "Break-even a day", "Sales a day")
    return card(name, head, rows, "break_even_transactions", "without the fleet's own costs", context.foot(shown))


def margins_by_day(db: sa.Connection, context: TabContext) -> str:
    """Each truck's contribution on each of the last days; losses are highlighted."""
    name, scope = "Contribution by truck and day", context.scope
    if not inputs(db)["costs"]:
        return message_card(name, NEEDS_COSTS)
    if scope.payments or scope.locations or scope.menus:
        return message_card(name, WHOLE_TRUCKS)
    first = max(scope.first, scope.last - timedelta(GRID_DAYS - 1))
    found = metrics.contribution_by_day_and_truck(db, replace(scope, first=first))
    if found.empty:
        return message_card(name, "No sales in this choice.")
    days = [first + timedelta(n) for n in range((scope.last - first).days + 1)]
    rows = {(row.truck_id, row.business_date): row for row in found.itertuples()}
    trucks = dict(zip(found["truck_id"], found["truck"], strict=True))
    shown = context.part("grid", MOST_TRUCKS, len(trucks))
    head = "".join(f'<th scope="col">{day:%a}<br>{day.day} {day:%b}</th>' for day in days)
    body = "".join(
        f'<tr><th scope="row">{context.truck(truck, trucks[truck]).text}</th>'
        + "".join(_contribution_cell(context, day, rows.get((truck, day))) for day in days)
        + "</tr>"
        for truck in list(trucks)[shown.rows]
    )
    aside = "before the fleet's own costs" + (f"; the last {GRID_DAYS} days" if first > scope.first else "")
    table = scrolling_table(name, f'<tr><th scope="col">Truck</th>{head}</tr>', body, "t3-heat")
    return heading(name, "contribution_pence", aside) + table + context.foot(shown)


def payments(db: sa.Connection, context: TabContext) -> str:
    """Share of card and cash by week, and the card fees."""
    found = metrics.by_period(db, metrics.periods_until(context.scope, "week", TREND_WEEKS), "week")
    rows = [
        (f"From {formatting.short_day(r.period_first)}", percent(r.card_share_pct), percent(100 - r.card_share_pct))
        for r in reversed(list(found.itertuples()))
    ]
    top = heading("Card and cash", "card_share_pct", _fees(db, context))
    return top + table("Card and cash", ("Week", "Card", "Cash"), rows, numbers=(1, 2)) if rows else message_card(
        "Card and cash", "No sales in this choice."
    )  # fmt: skip


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-most", "Trucks and their share", trucks),
    ("t3-third", "Growth and concentration", growth),
    ("t3-half", "Sales by week", weeks),
    ("t3-half", "Sales by month", months),
    ("t3-half", "Contribution", contribution),
    ("t3-half", "Card and cash", payments),
    *vat.CARDS,
    ("t3-whole", "Where profit is made", profit.made),
    ("t3-whole", "Break-even by truck", margins),
    ("t3-whole", "Contribution by truck and day", margins_by_day),
)


def _periods(db: sa.Connection, context: TabContext, grain: str, count: int, name: str) -> str:
    scope = metrics.periods_until(context.scope, grain, count)
    found = metrics.by_period(db, scope, grain)
    if found.empty:
        return message_card(name, "No sales in this choice.")
    partial = partial_months.read(db, scope) if grain == "month" else {}
    shown = [partial_months.starred(_period(first, grain), first, partial) for first in found["period_first"]]
    states = [context.days(row.period_first, _until(row.period_first, grain)) for row in found.itertuples()]
    rows = [
        (choice_cell(state, label), pounds(row.gross_sales_pence), f"{row.transactions:,}", f"{row.trading_days:,}")
        for label, state, row in zip(shown, states, found.itertuples(), strict=True)
    ]
    aside = partial_months.joined(
        f"up to {formatting.picked(context.scope.last)}", partial_months.explained(partial, found["period_first"])
    )
    names = [label.split(" ", 1)[1] if grain == "week" else label for label in shown]
    return (
        heading(name, "gross_sales_pence", aside)
        + graphs.columns(names, [int(pence) for pence in found["gross_sales_pence"]], states=states)
        + chart_table(name, (grain.capitalize(), "Gross sales", "Transactions", "Trading days"), rows[::-1])
    )


def _until(first: date, grain: str) -> date:
    """The last day of a week or month."""
    if grain == "week":
        return first + timedelta(6)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _contribution_cell(context: TabContext, day: date, row: Any) -> str:
    """A cell of the grid: a truck's contribution on a day, as a link to that day."""
    if row is None:
        return '<td class="t3-heat-cell" style="--v:0%"></td>'
    hint = (
        f"{row.truck}, {formatting.short_day(day)}: {pounds(row.contribution_pence)} of {pounds(row.gross_sales_pence)}"
    )
    text = choice(replace(context.days(day, day), trucks=(row.truck_id,)), pounds(row.contribution_pence, whole=True))
    look = " loss" if row.contribution_pence < 0 else " gain"
    return f'<td class="t3-heat-cell{look}" title="{escape(hint)}">{text}</td>'


def _period(first: date, grain: str) -> str:
    return formatting.short_day(first) if grain == "week" else f"{first:%b} {first:%y}"


def _pence(frame: pd.DataFrame) -> dict[int, int]:
    return dict(zip(frame["truck_id"], frame["gross_sales_pence"], strict=True))


def _per_hour(hours: pd.DataFrame, truck_id: int) -> str:
    return pounds(int(hours.at[truck_id, "sales_per_hour_pence"])) if truck_id in hours.index else "–"


def _weeks(weeks: pd.DataFrame, truck_id: int) -> list[int]:
    table = weeks.pivot_table(index="truck_id", columns="period_first", values="gross_sales_pence", aggfunc="sum")
    return [int(v) for v in table.fillna(0).loc[truck_id]] if truck_id in table.index else []


def _cost(name: str) -> str:
    spaced = name.replace("_", " ")
    return "VAT" if spaced.lower() == "vat" else spaced[:1].upper() + spaced[1:]


def _restated(db: sa.Connection, scope: Scope) -> list[Row]:
    """What menus and costs that were applied to these days later changed of their contribution."""
    since, until = business_day.bounds(scope.first)[0], business_day.bounds(business_day.today())[1]
    if scope.payments or scope.locations or scope.menus:
        return []  # kept by truck and day
    after = scope.last + timedelta(days=1)
    days = metrics.restated_days(db, since, until, after, first=scope.first, trucks=scope.trucks)
    days = days[days["contribution_change"] != 0]
    if days.empty:
        return []
    of = "1 day" if len(days) == 1 else f"{len(days):,} days"
    changed = formatting.signed(int(days["contribution_change"].sum()))
    return [(f"Changed afterwards by menus, costs or pitches, on {of}", changed, "")]


def _share(pence: int, found: metrics.Contribution) -> str:
    return percent(100 * pence / found.gross_sales_pence if found.gross_sales_pence else None)


def _whose(scope: Scope) -> str:
    """What the contribution is of, in words."""
    some = scope.trucks or scope.payments or scope.locations or scope.menus
    return "of this choice, with its share of the shared costs" if some else "of the whole fleet"


def _fees(db: sa.Connection, context: TabContext) -> str:
    """The card fees; empty where they are not known for the choice."""
    try:
        found = context.contribution(db)
    except RefusedError:
        return ""
    if found is None:
        return "card fees need metadata/costs.csv"
    return f"card fees of the chosen days {pounds(found.card_fees_pence)}"
