"""VAT: by rate for the chosen days, and what the return of a quarter takes from sales."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard.html.cards import Cell, Row, message_card, table
from t3lib.dashboard.tabs.context import MOST_ROWS, Card, TabContext, card, heading
from t3lib.metrics import Scope
from t3lib.money import pounds
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

NEEDS_VAT = "This needs a line vat in metadata/costs.csv, or the column vat in metadata/menu.csv."
_WHOLE_ONLY = "Choose all places, menu types and payments: VAT is known per truck and day only."
_WHOLE_FLEET = "Choose all trucks, places, menu types and payments: a VAT return is of the whole company."


def by_rate(db: sa.Connection, context: TabContext) -> str:
    """Gross sales, VAT and net sales of the chosen days by rate."""
    name, scope = "VAT by rate", context.scope
    if scope.locations or scope.payments or scope.menus:
        return message_card(name, _WHOLE_ONLY)
    with hash_joins(db):
        found = metrics.vat_by_rate(db, scope)
    if found.empty or found["vat_rate_pct"].isna().all():
        return message_card(name, NEEDS_VAT if len(found) else "No sales in this choice.")
    columns = ["gross_sales_pence", "vat_pence", "net_sales_pence"]
    rates = found.groupby("vat_rate_pct", dropna=False)[columns].sum(min_count=1).sort_index(ascending=False)
    rows = [_row(_rate(rate), row) for rate, *row in rates[columns].itertuples()]
    rows.append(_row("Together", [found[column].sum() for column in columns], "t3-total"))
    foot = _notes(int(found["mixed_pence"].sum()), _without(found))
    return card(name, ("Rate", Cell("Gross sales", "t3-wide"), "VAT", "Net sales"), rows, "vat_pence", foot=foot)


def vat_return(db: sa.Connection, context: TabContext) -> str:
    """Boxes 1 and 6 of the quarter in which the last chosen day lies, by truck and rate."""
    quarter, scope = metrics.quarter_of(context.scope.last), context.scope
    name = f"VAT return {quarter}"
    if scope.trucks or scope.locations or scope.payments or scope.menus:
        return message_card(name, _WHOLE_FLEET)
    try:
        with hash_joins(db):
            found = metrics.vat_return(db, quarter)
            lines = metrics.vat_by_rate(db, Scope(quarter.first, quarter.last))
    except RefusedError as error:
        return message_card(name, str(error))
    shown = context.part("vat", MOST_ROWS, len(lines))
    boxes = [("1: VAT due on sales", pounds(found.box1_pence)),
             ("6: sales without VAT, in whole pounds", f"£{found.box6_pounds:,}")]  # fmt: skip
    rows: list[Row] = [
        (context.truck(row.truck_id, row.truck), _rate(row.vat_rate_pct),
         Cell(_pounds(row.gross_sales_pence), "t3-wide"), _pounds(row.vat_pence), _pounds(row.net_sales_pence))
        for row in lines[shown.rows].itertuples()
    ]  # fmt: skip
    head = ("Truck", "Rate", Cell("Gross sales", "t3-wide"), "VAT", "Net sales")
    return (
        heading(name, "box1_pence", f"from sales, {quarter.dates}")
        + table(f"{name}, boxes", ("Box", "Amount"), boxes, numbers=(1,))
        + _notes(found.mixed_pence, found.without_vat_pence, *found.caveats)
        + (table(name, head, rows, numbers=range(1, len(head))) if rows else "")
        + context.foot(shown)
    )


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-half", "VAT by rate", by_rate),
    ("t3-half", "VAT return", vat_return),
)


def _row(name: str, amounts: Sequence[Any], classes: str = "") -> Row:
    """Name, gross sales (not on phones), VAT and net sales."""
    gross, *others = map(_pounds, amounts)
    return (Cell(name, classes), Cell(gross, f"t3-wide {classes}".strip()), *(Cell(one, classes) for one in others))


def _without(found: pd.DataFrame) -> int:
    return int(found.loc[found["vat_rate_pct"].isna(), "gross_sales_pence"].sum())


def _notes(mixed: int, without: int, *more: str) -> str:
    said = list(more)
    if mixed:
        said.append(f"{pounds(mixed)} of sales are at prices of dishes with several rates: the highest counts.")
    if without:
        said.append(f"{pounds(without)} of sales have no known rate: state it in menu.csv or costs.csv.")
    return "".join(f'<p class="t3-note t3-lacks">{escape(text)}</p>' for text in said)


def _rate(rate: float | None) -> str:
    return "not known" if pd.isna(rate) else f"{rate:g}%"


def _pounds(pence: Any) -> str:
    return pounds(None if pd.isna(pence) else int(pence))
