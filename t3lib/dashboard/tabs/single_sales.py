"""Single sales: from a truck's day to its sales, and from an hour's sales to file and raw line."""

import logging
from dataclasses import replace
from html import escape
from typing import Any

import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.charts import echarts
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell, Row, choice, choice_cell, message_card, table, title
from t3lib.dashboard.html.trucks import MOST_ROWS as MOST_TRUCKS
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs.context import Card, TabContext
from t3lib.landing import Landing
from t3lib.money import pounds
from t3lib.settings import settings
from t3lib.warehouse.checks import lineage
from t3lib.warehouse.checks.lineage import Question

MOST_SALES = 200
_log = logging.getLogger(__name__)


def sales(db: sa.Connection, context: TabContext) -> str:
    """The sales of one truck and day; with an hour chosen, the raw line of each."""
    scope, hour = context.scope, context.state.hour
    if len(scope.trucks) != 1 or scope.days != 1:
        return _choose_truck(db, context)
    question = Question(scope.trucks[0], scope.first, hour, scope.payments)
    shown = context.part("sales", MOST_SALES, lineage.figure(db, question)["rows"]["transactions"])
    found = lineage.sales(db, question, shown.most, shown.skip)
    files = lineage.files(db, question)
    missing = "" if hour is None else _add_raw(files, found)
    keys = {file["file_id"]: file["key"] for file in files}
    rows = [_row(context, line, keys, raw=hour is not None) for line in found]
    head = ("Sold at", "Paid by", "Amount", "File", "Row", "Raw line" if hour is not None else "Notes")
    name = metrics.trucks(db).get(scope.trucks[0], f"Truck {scope.trucks[0]}")
    top = title("Single sales", f"<span>{_description(context, name, shown.count)}</span>")
    note = f'<p class="t3-none">{missing}</p>' if missing else ""
    nothing = '<p class="t3-none">No sales in this choice.</p>'
    below = table("Single sales", head, rows, numbers=(2, 4)) if rows else nothing
    return top + note + below + context.foot(shown)


def rejected(db: sa.Connection, context: TabContext) -> str:
    """The rejected rows of one truck and day, with their raw text."""
    scope = context.scope
    if len(scope.trucks) != 1 or scope.days != 1:
        return message_card("Rejected rows", "Choose one truck and one day to see its rejected rows.")
    question = Question(scope.trucks[0], scope.first, context.state.hour)
    shown = context.part("rejects", MOST_SALES, lineage.count_rejects(db, question))
    rows = [
        (row["reason"].replace("_", " "), Cell(_raw(row, "raw_"), "t3-raw"), pounds(row["suggested_pence"]))
        for row in lineage.rejects(db, question, shown.most, shown.skip)
    ]
    if not rows:
        return message_card("Rejected rows", "None: every row of this choice became a sale.")
    wider = ", of every payment, place and menu" if scope.payments or scope.locations or scope.menus else ""
    top = title("Rejected rows", f"<span>{_count(shown.count, 'row')}{wider}</span>")
    head = ("Reason", "Raw line", "Suggested")
    return top + table("Rejected rows", head, rows, numbers=(2,)) + context.foot(shown)


def notebooks(db: sa.Connection, context: TabContext) -> str:
    """The executed notebooks that read, cleaned and loaded the files of one truck and day."""
    scope = context.scope
    if len(scope.trucks) != 1 or scope.days != 1:
        return message_card(
            "Executed notebooks", "Choose one truck and one day to see the notebooks that processed its files."
        )
    files = lineage.files(db, Question(scope.trucks[0], scope.first, context.state.hour))
    rows = [
        (run["state"], run["notebook"], formatting.clock(run["started_at"], business_day.today()),
         _seconds(run["seconds"]), run["git_commit"] or "–", Cell(run["executed_copy"] or "–", "t3-raw"))
        for run in lineage.runs(db, [file["file_id"] for file in files])
    ]  # fmt: skip
    if not rows:
        return message_card("Executed notebooks", "No notebook run is recorded for these files.")
    head = ("State", "Notebook", "Started", "Seconds", "Commit", "Executed notebook")
    return title("Executed notebooks") + table("Executed notebooks", head, rows, numbers=(3,), tone=_tone)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _tone(state: str) -> str:
    return {"succeeded": "trading", "running": ""}.get(state, "silent")


CARDS: tuple[tuple[str, str, Card], ...] = (
    ("t3-whole", "Single sales", sales),
    ("t3-whole", "Rejected rows", rejected),
    ("t3-whole", "Executed notebooks", notebooks),
)


def _choose_truck(db: sa.Connection, context: TabContext) -> str:
    """The trucks of the last chosen day, or of one hour of it, each a link to its sales."""
    last, hour = context.scope.last, context.state.hour
    found = metrics.by_hour_and_truck(db, replace(context.scope, first=last))
    if hour is not None:
        found = found[found["local_hour"] == hour]
    sold = found.groupby(["truck_id", "truck"], as_index=False)[["transactions", "gross_sales_pence"]].sum()
    shown = context.part("choose", MOST_TRUCKS, len(sold))
    rows = [
        (
            choice_cell(_state(context, row.truck_id, hour), row.truck),
            f"{row.transactions:,}",
            pounds(row.gross_sales_pence),
        )
        for row in sold.sort_values("gross_sales_pence", ascending=False)[shown.rows].itertuples()
    ]
    when = formatting.day(last) + ("" if hour is None else f", {echarts.hour_name(hour)}")
    top = title("Single sales", f"<span>choose a truck to see its sales of {when}</span>")
    if not rows:
        return top + f'<p class="t3-none">No sales of {when}.</p>'
    return top + table("Single sales", ("Truck", "Sales", "Gross sales"), rows, numbers=(1, 2)) + context.foot(shown)


def _state(context: TabContext, truck: int, hour: int | None) -> State:
    day = context.scope.last
    return replace(context.state, preset="custom", first=day, last=day, trucks=(truck,), hour=hour, tab="rows")


def _description(context: TabContext, name: str, count: int) -> str:
    """Truck, day, hour and number of sales; with an hour, a link back to the day."""
    scope, hour = context.scope, context.state.hour
    wider = ", of every place and menu" if scope.locations or scope.menus else ""
    day, many = f"{escape(name)}, {formatting.day(scope.last)}", f"{_count(count, 'sale')}{wider}"
    if hour is None:
        return f"{day}: {many}; choose a time to see the raw lines of its hour"
    return (
        f"{day}, {echarts.hour_name(hour)}: {many} · {choice(_state(context, scope.trucks[0], None), 'the whole day')}"
    )


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _row(context: TabContext, line: dict[str, Any], keys: dict[int, str], raw: bool) -> Row:
    local = line["sold_at"].astimezone(settings().zone)
    time: str | Cell = f"{local:%H:%M}"
    if not raw:
        time = choice_cell(_state(context, context.scope.trucks[0], local.hour), f"{local:%H:%M}")
    notes = [flag.replace("_", " ") for flag in line["flags"]] + ([line["decision"]] if line["decision"] else [])
    text = _raw(line.get("raw") or {}, "") if raw else ", ".join(notes)
    return (time, line["payment_type"], pounds(line["total_pence"]), keys.get(line["file_id"], "–"),
            f"{line['row_number']:,}", Cell(text, "t3-raw" if raw else ""))  # fmt: skip


def _raw(row: dict[str, Any], prefix: str) -> str:
    cells = (row.get(f"{prefix}{name}") for name in ("timestamp", "type", "total"))
    return ",".join("" if cell is None else str(cell) for cell in cells) if row else "–"


def _add_raw(files: list[dict[str, Any]], found: list[dict[str, Any]]) -> str:
    """Add the raw text to each line; returns why some have none."""
    try:
        files = lineage.with_raw_text(files, found, Landing())
    except Exception as error:  # the bucket is another service: the sales are shown without it
        _log.error("the raw lines could not be read", exc_info=error)
        return "The raw lines cannot be read now: the bucket does not answer."
    return " ".join(sorted({file["missing"] for file in files if file["missing"]}))
