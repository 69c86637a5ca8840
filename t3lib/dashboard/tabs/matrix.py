"""Menu engineering: the matrix of popularity and margin by truck and place, and the effects of price changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell, Row, message_card, table
from t3lib.dashboard.tabs.context import MOST_ROWS, Card, TabContext, heading, percent
from t3lib.dashboard.tabs.menus import NEEDS_PITCHES
from t3lib.editions import menus
from t3lib.metrics import Scope
from t3lib.metrics.sales.breakdown import inputs
from t3lib.money import pounds
from t3lib.problems import RefusedError

MATRIX, BY_PLACE, EFFECTS = "Menu matrix", "Menu matrix by place", "Effect of price changes"
NEEDS_MENU = "This needs metadata/menu.csv with unit_cost."
SOUND_DAYS, MOST_DOTS = 14, 300


def chart(db: sa.Connection, context: TabContext) -> tuple[dict[str, Any], str] | None:
    """The ECharts option of the matrix and the head of its card; None where there is nothing to draw, as the card below
    says."""
    if context.state.tab != "menus":
        return None
    try:
        found = context.matrix(db)
    except RefusedError:
        return None
    drawn = found.nlargest(MOST_DOTS, "sold_a_day").sort_index()
    option = echarts.menu_matrix(drawn, menus().popular_pct)
    left_out = f"; the {MOST_DOTS} dishes sold most of {len(found):,}" if len(drawn) < len(found) else ""
    title = heading(MATRIX, "menu_class", _aside(context.scope) + left_out)
    return (option, title) if any(one["data"] for one in option["series"]) else None


def by_truck(db: sa.Connection, context: TabContext) -> str:
    """Each dish with its class among the dishes of its truck, and what would move it."""
    return _matrix(db, context, "Dishes by class", lambda: context.matrix(db), "matrix")


def by_place(db: sa.Connection, context: TabContext) -> str:
    """The same at each place."""
    if not inputs(db)["pitches"]:
        return message_card(BY_PLACE, NEEDS_PITCHES)
    return _matrix(db, context, BY_PLACE, lambda: metrics.menu_matrix_by_place(db, context.scope), "placematrix")


def effects(db: sa.Connection, context: TabContext) -> str:
    """What changes of prices did to what a dish sells, takes and leaves a day."""
    yesterday = context.scope.last - timedelta(days=1)
    days = context.complete_days or replace(context.scope, first=yesterday, last=yesterday)
    try:
        found = metrics.price_effects(db, days)
    except RefusedError as error:
        return message_card(EFFECTS, str(error))
    weeks = menus().weeks
    if found.empty:
        return message_card(EFFECTS, f"No dish changed its price in the chosen days or the {weeks} weeks before them.")
    shown = context.part("effects", MOST_ROWS, len(found))
    head = (
        "Dish",
        "Truck",
        "From",
        "Price",
        "Sold a day",
        "Effect on number sold",
        "on gross sales",
        "on margin",
        "Basis",
    )
    rows = [_effect(context, row) for row in found[shown.rows].itertuples()]
    aside = (
        f"a day, same weekdays up to {weeks} weeks before and after; below an effect its bounds, with 95% confidence"
    )
    numbers = range(3, len(head) - 1)
    return heading(EFFECTS, "effect_sold", aside) + table(EFFECTS, head, rows, numbers) + context.foot(shown)


CARDS: tuple[tuple[str, str, Card], ...] = (  # the first stands below the chart
    ("t3-whole", "Dishes by class", by_truck),
    ("t3-whole", EFFECTS, effects),
)
LAST_CARDS: tuple[tuple[str, str, Card], ...] = (("t3-whole", BY_PLACE, by_place),)


def _matrix(db: sa.Connection, context: TabContext, name: str, figure: Callable[[], pd.DataFrame], pages: str) -> str:
    if not inputs(db)["menu"]:
        return message_card(name, NEEDS_MENU)
    try:
        found = figure()
    except RefusedError as error:
        return message_card(name, str(error))
    if found.empty:
        return message_card(name, "No truck with a menu traded in this choice.")
    shown = context.part(pages, MOST_ROWS, len(found))
    placed = "location" in found
    wide = [Cell(name, "t3-wide") for name in ("Menu mix", "Price", "Average")]
    head = ("Dish", *(("Place",) if placed else ()), "Truck", "Class", "What would move it", "Sold a day",
            *wide[:2], "Margin of one", wide[2])  # fmt: skip
    part = found[shown.rows]
    rows = [_dish(context, row, move, placed) for row, move in zip(part.itertuples(), metrics.moves(part), strict=True)]
    numbers = range(4 + placed, len(head))
    return heading(name, "unit_margin_pence", _lacking(found)) + table(name, head, rows, numbers) + context.foot(shown)


def _dish(context: TabContext, row: Any, move: str, placed: bool) -> Row:
    return (
        row.dish,
        *((row.location,) if placed else ()),
        context.truck(row.truck_id, row.truck),
        Cell(f'<span class="t3-state t3-{row.menu_class.replace(" ", "-")}">{row.menu_class}</span>', html=True),
        move,
        f"{row.sold_a_day:,.1f}",
        Cell(percent(row.mix_pct), "t3-wide"),
        Cell(pounds(row.price_pence), "t3-wide"),
        _pounds(row.unit_margin_pence),
        Cell(_pounds(row.average_margin_pence), "t3-wide"),
    )


def _lacking(found: pd.DataFrame) -> str:
    lacking = int(found["menu_class"].eq("no unit cost").sum())
    return f"{lacking:,} without a unit cost" if lacking else ""


def _aside(scope: Scope) -> str:
    rule = f"each dish among those of its truck; popular from {menus().popular_pct:g}% of an equal share on"
    days = "1 day says" if scope.days == 1 else f"{scope.days} days say"
    return f"{rule}; {days} little: choose 4 weeks" if scope.days < SOUND_DAYS else rule


def _effect(context: TabContext, row: Any) -> Row:
    known = row.effect_state == "known"
    return (
        row.dish,
        context.truck(row.truck_id, row.truck),
        Cell(formatting.short_day(row.changed_on), "t3-keep"),
        f"{pounds(row.old_price_pence)} → {pounds(row.new_price_pence)}",
        f"{row.before_sold:,.1f} → {row.after_sold:,.1f}" if known else "–",
        *(_interval(row, what) for what in ("sold", "sales_pence", "margin_pence")),
        Cell(row.effect_note, "t3-basis"),
    )


def _interval(row: Any, what: str) -> Cell:
    """An effect with its bounds, coloured where both are on one side of nothing."""
    effect, low, high = (getattr(row, f"{of}_{what}") for of in ("effect", "low", "high"))
    if pd.isna(effect):
        return Cell("–")
    tone = "up" if low > 0 else "down" if high < 0 else "level"
    effect, low, high = (_signed(value, what) for value in (effect, low, high))
    return Cell(f"{effect} <br><small>{low} to {high}</small>", f"t3-change {tone}", html=True)


def _signed(value: Any, what: str) -> str:
    if what.endswith("_pence"):
        return f"{'+' if value > 0 else ''}{pounds(int(value))}"
    return f"{value:+,.1f}" if round(value, 1) else "0.0"


def _pounds(pence: Any) -> str:
    return "–" if pd.isna(pence) else pounds(int(pence))
