"""The tables of a pack: CSV files that any program reads, each row with a check that tells where a change was made."""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from t3lib.metrics.spreadsheet import inert

CHECK = "check"
_DIGITS = 16


@dataclass
class Table:
    """The rows of a table as text, and what is wrong with the file: (row number from 1, what was found)."""

    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def frame(self, *numbers: str) -> pd.DataFrame:
        """The rows as a frame; these columns as whole numbers, missing where empty."""
        found = pd.DataFrame(self.rows, columns=self.columns, dtype=object)
        for name in numbers:
            found[name] = pd.array([int(one) if one else None for one in found[name]], "Int64")
        return found


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table; the number of its rows. The check of a row is a hash of it and of the check before it."""
    count, check = 0, _first(columns)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, CHECK])
        for count, row in enumerate(rows, 1):  # noqa: B007
            cells = [text(one) for one in row]
            check = _next(check, cells)
            writer.writerow([*cells, check])
    return count


def read(path: Path, columns: Sequence[str]) -> Table:
    """The table in a file, with a problem for each row whose check does not follow from it and the row before."""
    found = Table(list(columns))
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, strict=True)
        if next(lines, []) != [*columns, CHECK]:
            return Table(list(columns), problems=[(0, "other columns than a pack of this version has")])
        check = _first(columns)
        for number, cells in enumerate(_records(lines, found), 1):
            if len(cells) != len(columns) + 1:
                found.problems.append((number, "it has more or fewer cells than columns"))
                continue
            if _next(check, cells[:-1]) != cells[-1]:
                found.problems.append((number, "it was changed, or a row was added or removed before it"))
            check = cells[-1]
            found.rows.append(cells[:-1])
    return found


def text(value: Any) -> str:
    """A value as it stands in a table: dates and moments by ISO 8601, moments in UTC, an empty cell without a value; no
    text that a spreadsheet would run."""
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, datetime):
        return pd.Timestamp(value).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return inert(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _records(lines: Iterator[list[str]], found: Table) -> Iterator[list[str]]:
    try:
        yield from lines
    except (csv.Error, UnicodeDecodeError) as error:
        found.problems.append((len(found.rows) + 1, f"it cannot be read ({error})"))


def _first(columns: Sequence[str]) -> str:
    return _next("", columns)


def _next(check: str, cells: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join([check, *cells]).encode()).hexdigest()[:_DIGITS]
