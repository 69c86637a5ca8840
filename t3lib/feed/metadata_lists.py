"""The hand-kept lists as records: rows of a text or a sheet with known column names, and no others."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from t3lib.feed import csv_records
from t3lib.feed.bounds import FeedError, require_rows, visible, with_code_points
from t3lib.feed.rows import text
from t3lib.feed.workbook import Row

Record = dict[str, Any]
MOST_COLUMNS = 50


@dataclass(frozen=True)
class Columns:
    """The columns that a list must have, and those that it may have."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


def lines(data: bytes, columns: Columns) -> Iterator[Record]:
    """Records of a text below its header; blank lines are skipped. Raises FeedError."""
    found = csv_records.split_header(text(data))
    if len(found.names) > MOST_COLUMNS:
        count = len(found.names)
        raise FeedError("bad_header", f"The first line has {count:,} columns; at most {MOST_COLUMNS} are read.")
    names, width = _known_names(found.names, columns, "The first line"), len(found.names)
    for number, record in enumerate(csv_records.records(found, lambda cells: len(cells) >= width), 1):
        require_rows(number)
        if not any(cell.strip() for cell in record.cells):
            continue
        if len(record.cells) != width:
            cells = f"{len(record.cells):,} cells, the first line {width}"
            raise FeedError("unreadable", f"Line {record.line:,} has {cells}: quote a cell that holds a comma.")
        yield _record(names, [cell.strip() for cell in record.cells], f"line {record.line}")


def sheet(rows: list[Row], title: str, columns: Columns) -> Iterator[Record]:
    """Records of a sheet below its header; blank rows are skipped. Raises FeedError."""
    if not rows:
        raise FeedError("bad_header", f"Sheet {title} is empty: its first row must name {_listed(columns.needed)}.")
    names = _known_names([str(cell if cell is not None else "") for cell in rows[0]], columns, f"Sheet {title}")
    for number, row in enumerate(rows[1:], 2):
        if any(str(cell).strip() for cell in row if cell is not None):
            yield _record(names, list(row), f"sheet {title}, row {number}")


def normalised(name: str) -> str:
    """A name as it is compared: in lower case, with underscores for blanks and hyphens."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower()).strip("_")


def _known_names(header: list[str], columns: Columns, where: str) -> list[str]:
    """The normalised names of a header, each known and once; an empty text for a column without a name."""
    names = [normalised(visible(name)) for name in header]
    every = (*columns.needed, *columns.optional)
    if missing := [name for name in columns.needed if name not in names]:
        raise FeedError("bad_header", f"{where} has no column {' and no column '.join(missing).upper()}.")
    if unknown := [with_code_points(visible(name).strip())[:80] for name, own in zip(header, names, strict=True)
                   if own and own not in every]:  # fmt: skip
        raise FeedError("bad_header", f"{where} has a column {unknown[0]}; known are {_listed(every)}.")
    if twice := [name for name, times in Counter(names).items() if name and times > 1]:
        raise FeedError("bad_header", f"{where} has the column {twice[0].upper()} twice: keep one of them.")
    return names


def _record(names: list[str], row: list[Any], place: str) -> Record:
    """A row by column names, with its place under the empty name. Raises FeedError for a value without a name."""
    for number, cell in enumerate(row, 1):
        if (number > len(names) or not names[number - 1]) and str(cell if cell is not None else "").strip():
            said = f"{str(cell)[:60]!r} in column {number}, which has no name"
            raise FeedError("unreadable", f"{place}: {said}. The previous version stays in force.")
    return dict(zip(names, row, strict=False)) | {"": place}


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(name.upper() for name in names)
