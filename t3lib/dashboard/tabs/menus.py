"""Menus and places: demand by place, menu type and hour, and the prices paid."""

import calendar
from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.charts import echarts
from t3lib.dashboard.html import graphs
from t3lib.dashboard.html.cards import Cell, Row, choice, choice_cell, message_card, table
from t3lib.dashboard.html.trucks import MOST_ROWS as MOST_TRUCKS
from t3lib.dashboard.tabs.context import MOST_ROWS, Card, TabContext, card, change_cell, heading, percent, usual
from t3lib.metrics.demand.places_and_hours import LONGEST_DAYS
from t3lib.metrics.sales.breakdown import inputs
from t3lib.money import pounds

AFFORDABLE = (300, 500, 700, 900)
MOST_DEAD = 10
NEEDS_MENU = "This needs metadata/menu.csv. Until then demand is shown by price."
NEEDS_PITCHES = "This needs metadata/pitches.csv: which truck was at which place, from when to when."


def demand(db: sa.Connection, context: TabContext) -> str:
    """Demand by place, menu type and hour; by truck and hour without pitches.csv or menu.csv."""
    name, known = "Demand by place, menu type and hour", inputs(db)
    missing = [f"metadata/{file}.csv" for file in ("pitches", "menu") if not known[file]]
    if missing:
        found = metrics.by_hour_and_truck(db, context.scope)
        names = found.groupby("truck")["transactions"].sum().sort_values(ascending=False).index
        cells = {(r.truck, r.local_hour): (r.transactions, r.gross_sales_pence) for r in found.itertuples()}
        aside = f"by truck: places and menu types need {' and '.join(missing)}"
    elif context.scope.days > LONGEST_DAYS:
        return message_card(name, f"Choose at most {LONGEST_DAYS} days: this reads every hour and price.")
    else:
        found = metrics.demand(db, context.scope)
        found = found.assign(row=found["location"] + " · " + found["menu_type"])
        names = found.groupby("row")["transactions"].sum().sort_values(ascending=False).index
        cells = {(r.row, r.local_hour): (r.transactions, r.gross_sales_pence) for r in found.itertuples()}
        aside = "transactions; darker is more"
    if not cells:
        return message_card(name, "No sales in this choice.")
    head = "Truck" if missing else "Place and menu type"
    shown = context.part("demand", MOST_TRUCKS, len(names))
    graph = graphs.hours(name, list(names[shown.rows]), cells, head)
    return heading(name, "transactions", aside) + graph + context.foot(shown)


def prices(db: sa.Connection, context: TabContext) -> str:
    """How often each price is paid, against the usual."""
    then = usual(db, metrics.by_price_point, "price_pence", context.complete_days)
    found = metrics.by_price_point(db, context.scope)
    shown = context.part("prices", MOST_ROWS, len(found))
    most = max(found["transactions_share_pct"], default=0) or 1
    rows = [
        (
            pounds(row.price_pence),
            f"{row.transactions:,}",
            Cell(percent(row.transactions_share_pct), bar=100 * row.transactions_share_pct / most),
            change_cell(*then.get(row.price_pence, (None, None))),
        )
        for row in found[shown.rows].sort_values("price_pence").itertuples()
    ]
    head = ("Price", "Sales", "Share", "Change on usual")
    return card("Prices paid", head, rows, "transactions_share_pct", _aside(context), context.foot(shown))


def spread(db: sa.Connection, context: TabContext) -> str:
    """Low, median and high price by truck, and the share of sales up to a chosen amount."""
    sold = metrics.prices(db, context.scope)
    if sold.empty:
        return message_card("Price spread", "No sales in this choice.")
    names = metrics.trucks(db)
    parts = [(truck, names.get(truck, f"Truck {truck}"), part) for truck, part in sold.groupby("truck_id")]
    shown, limit = context.part("spread", MOST_TRUCKS, len(parts)), context.state.affordable
    rows: list[Row] = [("All together", *_spread(sold, limit))]
    rows += [(context.truck(truck, name), *_spread(part, limit)) for truck, name, part in parts[shown.rows]]
    links = " ".join(_limit(context, pence) for pence in sorted({*AFFORDABLE, limit}))
    head = ("Truck", "Low (p10)", "Median", "High (p90)", f"{pounds(limit)} or less")
    return (
        f"{heading('Price spread', 'median_price_pence')}"
        f'<p class="t3-limits">Affordable is up to {links}</p>{table("Price spread", head, rows, numbers=range(1, 5))}'
        f"{context.foot(shown)}"
    )


def types(db: sa.Connection, context: TabContext) -> str:
    """Sales by menu type, against the usual."""
    if not inputs(db)["menu"]:
        return message_card("Menu types", NEEDS_MENU)
    then, known = usual(db, metrics.by_menu_type, "menu_type", context.complete_days), metrics.menu_types(db)
    found = metrics.by_menu_type(db, context.scope)
    shown = context.part("types", MOST_ROWS, len(found))
    rows = [
        (
            _type(context, row.menu_type) if row.menu_type in known else row.menu_type,
            f"{row.transactions:,}",
            pounds(row.gross_sales_pence),
            change_cell(*then.get(row.menu_type, (None, None))),
        )
        for row in found[shown.rows].itertuples()
    ]
    head = ("Menu type", "Sales", "Gross sales", "Change on usual")
    return card("Menu types", head, rows, "transactions", _aside(context), context.foot(shown))


def places(db: sa.Connection, context: TabContext) -> str:
    """Sales and busiest hour by place, against the usual."""
    if not inputs(db)["pitches"]:
        return message_card("Places", NEEDS_PITCHES)
    then, found = usual(db, metrics.by_place, "location_id", context.comparable), metrics.by_place(db, context.scope)
    shown = context.part("places", MOST_ROWS, len(found))
    rows = [
        (
            choice_cell(replace(context.state, places=_toggled(context.state.places, row.location_id)), row.location),
            f"{row.transactions:,}",
            pounds(row.gross_sales_pence),
            f"{int(row.busiest_hour):02d}:00",
            change_cell(*then.get(row.location_id, (None, None))),
        )
        for row in found[shown.rows].itertuples()
    ]
    head = ("Place", "Sales", "Gross sales", "Busiest hour", "Change on usual")
    return card("Places", head, rows, "busiest_hour", foot=context.foot(shown))


def weekdays(db: sa.Connection, context: TabContext) -> str:
    """Average sales of each weekday, of Monday to Friday and of weekends."""
    days, parts = metrics.by_weekday(db, context.scope), metrics.by_part_of_week(db, context.scope)
    rows: list[Row] = [_mean_day(calendar.day_name[row.weekday - 1], row) for row in days.itertuples()]
    rows += [tuple(Cell(text, "t3-total") for text in _mean_day(row.part_of_week, row)) for row in parts.itertuples()]
    return card("Weekdays", ("Weekday", "Sales a day", "Transactions a day"), rows, "sales_per_day_pence")


def dead(db: sa.Connection, context: TabContext) -> str:
    """Hours with at most one sale between a day's first and last sale."""
    found = metrics.dead_hours(db, context.scope)
    shown = context.part("dead", MOST_DEAD, len(found))
    rows = [
        (
            context.truck(row.truck_id, row.truck),
            echarts.hour_name(int(row.local_hour)),
            f"{row.dead_days:,} of {row.days_out:,}",
            percent(row.dead_share_pct),
        )
        for row in found[shown.rows].itertuples()
    ]
    head = ("Truck", "Hour", "Dead days", "Share")
    return card("Dead hours", head, rows, "dead_share_pct", "at most one sale", context.foot(shown))


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-whole", "Demand by place, menu type and hour", demand),
    ("t3-half t3-tall", "Prices paid", prices),
    ("t3-half", "Price spread", spread),
    ("t3-half", "Menu types", types),
    ("t3-half", "Weekdays", weekdays),
    ("t3-half", "Places", places),
    ("t3-whole", "Dead hours", dead),
)


def _mean_day(name: str, row: Any) -> tuple[str, str, str]:
    return name, pounds(row.sales_per_day_pence), f"{row.transactions / row.trading_days:,.0f}"


def _spread(part: pd.DataFrame, limit: int) -> tuple[str, ...]:
    """Low, median and high price of some sales, and the share of them up to the limit."""
    found = metrics.price_spread(part)
    low, middle, high = (
        (found.p10_price_pence, found.median_price_pence, found.p90_price_pence) if found else [None] * 3
    )
    return pounds(low), pounds(middle), pounds(high), percent(metrics.affordable_pct(part, limit))


def _type(context: TabContext, name: str) -> Cell:
    return choice_cell(replace(context.state, menus=_toggled(context.state.menus, name)), name)


def _toggled(chosen: tuple[Any, ...], one: Any) -> tuple[Any, ...]:
    """Only this one, or all (an empty tuple) if it is already the only one."""
    return () if chosen == (one,) else (one,)


def _limit(context: TabContext, pence: int) -> str:
    text = pounds(pence) if pence % 100 else pounds(pence, whole=True)
    if pence == context.state.affordable:
        return f"<b>{escape(text)}</b>"
    return choice(replace(context.state, affordable=pence), text)


def _aside(context: TabContext) -> str:
    """The filters that a table by price ignores, because prices are kept by day and truck only."""
    scope, facts = context.scope, []
    if scope.payments or scope.locations:
        facts.append("all payments and places")
    if context.until_hour is not None:
        facts.append("compared once the day is over" if scope.days == 1 else "compared without today")
    return ", ".join(facts)
