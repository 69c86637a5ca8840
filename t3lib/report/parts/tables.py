"""A table of a report: columns of figures, a note, and what it says where there is nothing to show."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from t3lib.report.block import Block, Cell, table_block
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.parts.units import written


def table(
    title: str,
    columns: Mapping[str | None, Iterable[Any] | None],
    note: str = "",
    *,
    empty: str = "No sales.",
    rows: int | None = None,
    more: str = "{count} more are in the attached CSV.",
    total: bool = False,
    missing: str = "–",
) -> Block:
    """A table: names in its first column, figures in up to three others; what is None is left out.

    A column is written by the unit of its name (a column of a `metrics` frame keeps its name), or holds what
    `change` and `difference` give. `rows`: the most that are shown, `more` says how many are not. `empty` stands in
    place of a table without rows, and of its note. `total`: the last row is the sum. Raises ValueError for columns of
    different lengths, of no known unit, or whose rows have another order."""
    _must_be_of_one_order(title, columns)
    shown = ((name, column) for name, column in columns.items() if name is not None)
    cells = {name: _cells(column, missing) for name, column in shown if column is not None}
    if len(cells) > 4 or len({len(column) for column in cells.values()}) > 1:
        lengths = ", ".join(f"{name!r} {len(column)}" for name, column in cells.items())
        raise ValueError(f"{title!r} needs up to four columns of the same length; it has {lengths}.")
    lines = [list(line) for line in zip(*cells.values(), strict=True)]
    if not lines:
        return table_block(title, [], [], empty)
    left = max(len(lines) - rows, 0) if rows else 0
    notes = [more.format(count=f"{left:,}") if left else "", note]
    return table_block(title, list(cells), lines[:rows], " ".join(filter(None, notes)), total=total)


def _must_be_of_one_order(title: str, columns: Mapping[str | None, Iterable[Any] | None]) -> None:
    """pandas pairs rows by their index, a table by their order: where both differ, a figure would get another name."""
    series = [column for column in columns.values() if isinstance(column, pd.Series)]
    if any(not column.index.equals(series[0].index) for column in series):
        raise ValueError(f"{title!r}: its columns are sorted or filtered differently; make all of them from one frame.")


def headings(day: Day) -> tuple[str | None, str]:
    """The headings of the columns that compare with the period before and with the usual: vs last Fri, vs usual. The
    first is None (no column) where both are the same."""
    names = comparison_names(day)
    return None if names.only_before else f"vs {names.before_short}", f"vs {names.usual_short}"


def muted(text: str) -> Cell:
    """A cell in grey."""
    return Cell(text, "", "muted")


def _cells(column: Iterable[Any], missing: str) -> list[Cell]:
    name = str(column.name) if isinstance(column, pd.Series | pd.Index) else ""
    return [one if isinstance(one, Cell) else Cell(written(one, name, missing)) for one in column]
