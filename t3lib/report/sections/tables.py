"""Tables: trucks, worst change first; and what was wanted where, when and at which price."""

from typing import Any

import pandas as pd

from t3lib.metrics import change_pct
from t3lib.report import words
from t3lib.report.block import Block, Cell, Tone, section, table
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day

MOST_PRICES = 6


@section
def trucks(day: Day) -> Block:
    """One row per truck, the worst change against its usual first; trucks without sales, as usual, are only counted."""
    measure, usual = day.edition.measure, f"{day.edition.measure}_usual"
    silent = (day.trucks[measure] == 0) & (day.trucks[usual].fillna(0) == 0)
    known = day.trucks[~silent]
    size = known[measure] - known[usual] if day.usual else -known[measure]
    rows = [_truck(row, measure) for row in known.loc[size.sort_values(kind="stable").index].itertuples()]
    named = "Sales" if measure.endswith("_pence") else "Sold"
    names = comparison_names(day)
    columns = ["Truck", named, f"vs {names.before_short}", f"vs {names.usual_short}"]
    title = "Trucks, worst change first" if day.usual else "Trucks"
    if names.only_before:
        columns, rows = [*columns[:2], columns[3]], [[*row[:2], row[3]] for row in rows]
    return _limited(day, title, columns, rows, _silent(int(silent.sum()), bool(day.usual)))


@section
def prices(day: Day) -> Block:
    """Prices that customers paid, most paid first."""
    rows = [
        [
            Cell(words.pounds(row.price_pence)),
            Cell(f"{row.transactions:,}"),
            Cell(words.share(row.transactions_share_pct)),
            _moved(row),
        ]
        for row in _sold(day.prices).head(MOST_PRICES).itertuples()
    ]
    return _limited(day, "Prices paid most", ["Price", "Sold", "Share of sales", _usual(day)], rows)


@section
def menus(day: Day) -> Block:
    """Demand by menu type, or which file is missing for it."""
    title = "Menu types"
    if not day.inputs["menu"]:
        return table(title, [], [], "Needs metadata/menu.csv: truck_id, menu_item, menu_type, price.")
    rows = [
        [
            Cell(words.line(row.menu_type)),
            Cell(f"{row.transactions:,}"),
            Cell(words.pounds(row.gross_sales_pence)),
            _moved(row),
        ]
        for row in _sold(day.menus).itertuples()
    ]
    return _limited(day, title, ["Menu type", "Sold", "Sales", _usual(day)], rows)


@section
def places(day: Day) -> Block:
    """Demand by place and its busiest hour, or which file is missing for it."""
    title = "Places"
    if not day.inputs["pitches"]:
        return table(title, [], [], "Needs metadata/pitches.csv: truck_id, location_id, from, to.")
    rows = [
        [
            Cell(words.line(row.location)),
            Cell(f"{row.transactions:,}"),
            Cell(words.hour(row.busiest_hour)),
            _moved(row),
        ]
        for row in _sold(day.places).itertuples()
    ]
    return _limited(day, title, ["Place", "Sold", "Busiest", _usual(day)], rows)


@section
def rejects(day: Day) -> Block:
    """Rows that were not loaded, by reason."""
    rejected, read = day.quality.rejected, day.quality.rows_read
    rows = [
        [Cell(day.reasons.get(reason, reason)), Cell(f"{count:,}"), Cell(words.share(100 * count / read))]
        for reason, count in rejected.items()
    ]
    note = "" if rows else "Every row was loaded."
    return table("Rows not loaded", ["Reason", "Rows", "of rows read"] if rows else [], rows, note)


def _sold(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["transactions"] > 0]


def _truck(row: Any, measure: str) -> list[Cell]:
    now = int(getattr(row, measure))
    cells = [Cell(words.line(row.truck)), Cell(words.amount(now, measure))]
    if pd.isna(getattr(row, f"{measure}_usual")) or pd.isna(getattr(row, f"{measure}_before")):
        return [*cells, Cell("–"), Cell("–")]
    before, usual = (int(getattr(row, f"{measure}_{of}")) for of in ("before", "usual"))
    pct = words.change(change_pct(now, usual)) if usual else ""
    difference = Cell(words.signed(now - usual, measure), pct, _tone(now - usual))
    week = (
        Cell(words.change(change_pct(now, before)), "", _tone(now - before))
        if before
        else Cell("none then", "", "muted")
    )
    return [*cells, week, difference]


def _moved(row: Any) -> Cell:
    """Change of a row's number of sales against its usual."""
    if pd.isna(row.transactions_usual):
        return Cell("–")
    now, usual = int(row.transactions), int(row.transactions_usual)
    return Cell(words.change(change_pct(now, usual)) if usual else "new", "", _tone(now - usual))


def _usual(day: Day) -> str:
    return f"vs {comparison_names(day).usual_short}"


def _tone(difference: int) -> Tone:
    return "up" if difference > 0 else "down" if difference < 0 else ""


def _limited(day: Day, title: str, columns: list[str], rows: list[list[Cell]], note: str = "") -> Block:
    """A table of the rows that the edition has room for, its comparisons only where there are some."""
    most = day.edition.rows
    if not day.usual:
        width = len([name for name in columns if not name.startswith("vs ")])
        columns, rows = columns[:width], [row[:width] for row in rows]
    notes = [f"{len(rows) - most:,} more are in the attached CSV."] if len(rows) > most else []
    notes += ["No sales."] if not rows else []
    return table(title, columns if rows else [], rows[:most], " ".join(filter(None, [*notes, note])))


def _silent(count: int, usual: bool) -> str:
    if not count:
        return ""
    return f"{count:,} {'truck' if count == 1 else 'trucks'} had no sales{', as usual' if usual else ''}."
