"""The hand-kept files under metadata/: trucks, places, menus, pitches, costs.

A file with any faulty row is refused whole, with the row and column named, and the version before stays in force:
half a price list would make wrong figures."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from t3lib.feed import cells, workbook
from t3lib.feed.bounds import MOST_CHARACTERS, FeedError, require_rows, visible
from t3lib.feed.rows import text

Record = dict[str, Any]
MOST_COLUMNS = 50


def read_metadata(key: str, data: bytes) -> dict[str, list[Record]]:
    """Dimension tables (core.* names) and their records. Raises FeedError with the place of the first fault."""
    return _READERS[PurePosixPath(key).name](data)


def _details(data: bytes) -> dict[str, list[Record]]:
    sheets = workbook.sheets(data)
    if "trucks" not in sheets:
        raise FeedError("bad_header", "The workbook has no sheet named trucks.")
    return {
        "truck": [_truck(row) for row in _sheet(sheets["trucks"], "trucks", ("id", "name"))],
        "location": [_location(row) for row in _sheet(sheets.get("locations", []), "locations", ("id", "name"))],
    }


def _truck(row: Record) -> Record:
    return {
        "truck_id": cells.cell(row, "id", cells.whole_id),
        "name": cells.cell(row, "name", cells.name),
        "description": visible(str(row.get("description") or "")).strip()[:MOST_CHARACTERS] or None,
        "has_card_reader": cells.cell(row, "has_card_reader", cells.yes_no),
        "fsa_rating": cells.cell(row, "fsa_rating_22", cells.optional(cells.rating)),
    }


def _location(row: Record) -> Record:
    return {"location_id": cells.cell(row, "id", cells.whole_id), "name": cells.cell(row, "name", cells.name)}


def _menu(data: bytes) -> dict[str, list[Record]]:
    rows = _lines(data, ("truck_id", "menu_item", "menu_type", "price"))
    items = [
        {
            "truck_id": cells.cell(row, "truck_id", cells.whole_id),
            "menu_item": cells.cell(row, "menu_item", cells.name),
            "menu_type": cells.cell(row, "menu_type", cells.name),
            "price_pence": cells.cell(row, "price", cells.price),
            "unit_cost_pence": cells.cell(row, "unit_cost", cells.optional(cells.price)),
        }
        for row in rows
    ]
    for (truck_id, item), times in Counter((item["truck_id"], item["menu_item"]) for item in items).items():
        if times > 1:
            raise FeedError("unreadable", f"Truck {truck_id} has {item} on its menu {times} times.")
    return {"menu_item": items}


def _pitches(data: bytes) -> dict[str, list[Record]]:
    rows = _lines(data, ("truck_id", "location_id", "from", "to"))
    pitches = [
        {
            "truck_id": cells.cell(row, "truck_id", cells.whole_id),
            "location_id": cells.cell(row, "location_id", cells.whole_id),
            "from_at": cells.cell(row, "from", cells.moment),
            "to_at": cells.cell(row, "to", cells.moment),
        }
        for row in rows
    ]
    _no_overlap(pitches)
    return {"pitch": pitches}


def _costs(data: bytes) -> dict[str, list[Record]]:
    rows = _lines(data, ("cost", "amount", "per", "from"))
    return {
        "cost": [
            {
                "truck_id": cells.cell(row, "truck_id", cells.optional(cells.whole_id)),
                "cost": cells.cell(row, "cost", cells.name),
                "amount": str(cells.cell(row, "amount", cells.percent if row["per"] == "percent" else cells.price)),
                "per": cells.cell(row, "per", cells.per),
                "from_date": cells.cell(row, "from", date.fromisoformat).isoformat(),
            }
            for row in rows
        ]
    }


def _sheet(rows: list[tuple[Any, ...]], sheet: str, needed: tuple[str, ...]) -> Iterator[Record]:
    """Records of a sheet under its header; rows with nothing but blanks are no records."""
    if not rows:
        return
    names = [str(cell or "").strip().lower() for cell in rows[0]]
    _need(names, needed, f"Sheet {sheet}")
    for number, row in enumerate(rows[1:], 2):
        if any(str(cell).strip() for cell in row if cell is not None):
            yield dict(zip(names, row, strict=False)) | {"": f"sheet {sheet}, row {number}"}


def _lines(data: bytes, needed: tuple[str, ...]) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text(data), newline=""))
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if len(names) > MOST_COLUMNS:
            raise FeedError(
                "bad_header", f"The first line has {len(names):,} columns; at most {MOST_COLUMNS} are read."
            )
        _need(names, needed, "The first line")
        for number, row in enumerate(reader, 1):
            require_rows(number)
            if any(cell.strip() for cell in row):
                values = [cell.strip() for cell in row] + [""] * (len(names) - len(row))
                yield dict(zip(names, values, strict=False)) | {"": f"line {reader.line_num}"}
    except csv.Error as error:
        raise FeedError("unreadable", f"Line {reader.line_num + 1} is not CSV ({error}).") from None


def _need(names: list[str], needed: tuple[str, ...], where: str) -> None:
    if missing := [name for name in needed if name not in names]:
        raise FeedError("bad_header", f"{where} has no column {' and no column '.join(missing).upper()}.")


def _no_overlap(pitches: list[Record]) -> None:
    for pitch in pitches:
        if datetime.fromisoformat(pitch["to_at"]) <= datetime.fromisoformat(pitch["from_at"]):
            raise FeedError("unreadable", f"Truck {pitch['truck_id']} leaves at {pitch['to_at']}, before it comes.")
    ordered = sorted(pitches, key=lambda p: (p["truck_id"], datetime.fromisoformat(p["from_at"])))
    for before, after in itertools.pairwise(ordered):
        same = before["truck_id"] == after["truck_id"]
        if same and datetime.fromisoformat(before["to_at"]) > datetime.fromisoformat(after["from_at"]):
            raise FeedError("unreadable", f"Truck {after['truck_id']} stands at two places from {after['from_at']}.")


_READERS = {"details.xlsx": _details, "menu.csv": _menu, "pitches.csv": _pitches, "costs.csv": _costs}
