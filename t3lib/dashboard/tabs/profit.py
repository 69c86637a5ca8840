"""Where profit is made: contribution by truck, place, event, weekday, hour, menu type or dish."""

import calendar
from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.charts import echarts
from t3lib.dashboard.html import graphs
from t3lib.dashboard.html.cards import Cell, Row, choice, choice_cell, table
from t3lib.dashboard.state import PROFIT_BY
from t3lib.dashboard.tabs.context import MOST_ROWS, TabContext, heading, percent
from t3lib.metrics.money.contribution_by import NO_SALE
from t3lib.money import pounds
from t3lib.problems import RefusedError

NAME, MOST_HOURS = "Where profit is made", 25
RULE = ("Costs of a sale are that sale's. What a truck pays by time goes to its hours in equal shares, what the fleet "
        "pays goes to all sales of the day by their amount.")  # fmt: skip
HEAD = ("Gross sales", Cell("Direct costs", "t3-wide"), Cell("Shared costs", "t3-wide"), "Contribution", "Margin",
        "Labour share", Cell("Sales an hour", "t3-wide"), Cell("Labour an hour", "t3-wide"))  # fmt: skip


def made(db: sa.Connection, context: TabContext) -> str:
    """A chart and a table of contribution by the chosen dimension, and links to choose another one."""
    top = heading(NAME, "shared_costs_pence") + _choices(context)
    try:
        found = metrics.contribution_by(db, context.scope, context.state.profit_by, context.contribution(db))
    except RefusedError as error:
        return f'{top}<p class="t3-none">{escape(str(error))}</p>'
    if found.empty:
        return f'{top}<p class="t3-none">Nothing in this choice.</p>'
    most = MOST_HOURS if context.state.profit_by == "hour" else MOST_ROWS
    shown = context.part("profit", most, len(found))
    rows: list[dict[str, Any]] = found[shown.rows].to_dict("records")
    names = [_name(context, row) for row in rows]
    lines: list[Row] = [(_first(context, row, name), *_cells(row)) for row, name in zip(rows, names, strict=True)]
    in_all = (Cell("In all"), *_cells(metrics.contribution_in_all(found)))
    lines.append([replace(cell, classes=f"{cell.classes} t3-total") for cell in in_all])
    column = PROFIT_BY[context.state.profit_by].capitalize()
    return (
        f"{top}{graphs.balance(names, [int(row['contribution_pence']) for row in rows])}"
        f"{table(NAME, (column, *HEAD), lines, numbers=range(1, 1 + len(HEAD)))}{context.foot(shown)}"
        f'<p class="t3-limits">{escape(" ".join([RULE, *_lacking(found)]))}</p>'
    )


def _choices(context: TabContext) -> str:
    """The dimensions as links, the chosen one in bold."""
    chosen = context.state.profit_by
    links = " ".join(f"<b>{name}</b>" if key == chosen else choice(replace(context.state, profit_by=key), name)
                     for key, name in PROFIT_BY.items())  # fmt: skip
    return f'<p class="t3-limits">By {links}</p>'


def _name(context: TabContext, row: dict[str, Any]) -> str:
    """A part in words."""
    kind = context.state.profit_by
    if kind == "weekday":
        return calendar.day_name[int(row["weekday"]) - 1]
    if kind == "hour":
        return NO_SALE if pd.isna(row["local_hour"]) else echarts.hour_name(int(row["local_hour"]))
    return str(row["location" if kind == "place" else kind])


def _first(context: TabContext, row: dict[str, Any], name: str) -> str | Cell:
    """The name of a part: a dish with its truck; a truck or place as a link that chooses it."""
    kind, state = context.state.profit_by, context.state
    if kind == "truck" and not pd.isna(row["truck_id"]):
        return context.truck(int(row["truck_id"]), name)
    if kind == "place" and not pd.isna(row["location_id"]):
        place = (int(row["location_id"]),)
        return choice_cell(replace(state, places=() if state.places == place else place), name)
    if kind == "dish" and name != NO_SALE:
        return Cell(f"{escape(name)}<small>{escape(row['truck'])}</small>", "t3-two", html=True)
    return name


def _cells(row: dict[str, Any]) -> tuple[Cell, ...]:
    """The figures of a part, in the order of HEAD."""
    contribution = int(row["contribution_pence"])
    return (
        Cell(pounds(int(row["gross_sales_pence"]))),
        Cell(pounds(-int(row["direct_costs_pence"])), "t3-wide"),
        Cell(pounds(-int(row["shared_costs_pence"])), "t3-wide"),
        Cell(pounds(contribution)),
        Cell(percent(row["margin_pct"])),
        Cell(percent(row["labour_share_pct"])),
        Cell(_pounds(row["sales_per_hour_pence"]), "t3-wide"),
        Cell(_pounds(row["labour_per_hour_pence"]), "t3-wide"),
    )


def _lacking(found: pd.DataFrame) -> list[str]:
    """What figures are missing for want of an input."""
    if found["labour_pence"].notna().any():
        return []
    return ["Labour needs a cost in metadata/costs.csv whose name has wage, labour, staff, salary or payroll in it."]


def _pounds(pence: Any) -> str:
    return "–" if pd.isna(pence) else pounds(int(pence))
