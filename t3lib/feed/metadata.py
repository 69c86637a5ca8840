"""The hand-kept files under metadata/: trucks, places, menus, pitches, costs, accounts.

A file with any faulty row is refused as a whole, with row and column named, and the previous version stays in force:
half a price list would make wrong figures. What counts from when, and until when, is in docs/metadata.md."""

import itertools
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from t3lib.feed import cells, workbook
from t3lib.feed.bounds import FeedError
from t3lib.feed.metadata_lists import Columns, Record, lines, normalised, sheet
from t3lib.settlements import accounts

TRUCKS = Columns(("id", "name"), ("description", "has_card_reader", "fsa_rating_22"))
LOCATIONS = Columns(("id", "name"))
MENU = Columns(("truck_id", "menu_item", "menu_type", "price"), ("unit_cost", "vat", "from", "to"))
PITCHES = Columns(("truck_id", "location_id", "from", "to"), ("event", "fee", "fee_per", "fee_percent"))
COSTS = Columns(("cost", "amount", "per"), ("truck_id", "from", "to"))


def read_metadata(key: str, data: bytes) -> dict[str, list[Record]]:
    """Dimension tables (core.* names) and their records. Raises FeedError, which names the first faulty row."""
    return _READERS[PurePosixPath(key).name](data)


def _details(data: bytes) -> dict[str, list[Record]]:
    sheets: dict[str, list[workbook.Row]] = {}
    for title, rows in workbook.sheets(data):
        if (name := normalised(title)) in sheets:
            raise FeedError("bad_header", f"The workbook has two sheets named {name}: keep one of them.")
        if name not in _SHEETS and rows:
            raise FeedError("bad_header", f"The workbook has a sheet {title.strip()[:40]!r}; known are {_KNOWN}.")
        sheets[name] = rows
    if "trucks" not in sheets:
        raise FeedError("bad_header", "The workbook has no sheet named trucks.")
    trucks = [_truck(row) for row in sheet(sheets["trucks"], "trucks", TRUCKS)]
    places = (
        [_location(row) for row in sheet(sheets["locations"], "locations", LOCATIONS)] if "locations" in sheets else []
    )
    return {
        "truck": _once(trucks, lambda t: t["truck_id"], lambda t: f"Sheet trucks has ID {t['truck_id']}"),
        "location": _once(places, lambda p: p["location_id"], lambda p: f"Sheet locations has ID {p['location_id']}"),
    }


def _truck(row: Record) -> Record:
    return {
        "truck_id": cells.cell(row, "id", cells.whole_id),
        "name": cells.cell(row, "name", cells.name),
        "description": cells.cell(row, "description", cells.optional(cells.description)),
        "has_card_reader": cells.cell(row, "has_card_reader", cells.yes_no),
        "fsa_rating": cells.cell(row, "fsa_rating_22", cells.optional(cells.rating)),
    }


def _location(row: Record) -> Record:
    return {"location_id": cells.cell(row, "id", cells.whole_id), "name": cells.cell(row, "name", cells.name)}


def _menu(data: bytes) -> dict[str, list[Record]]:
    items = [
        {
            "truck_id": cells.cell(row, "truck_id", cells.whole_id),
            "menu_item": cells.cell(row, "menu_item", cells.name),
            "menu_type": cells.cell(row, "menu_type", cells.name),
            "price_pence": cells.cell(row, "price", cells.price),
            "unit_cost_pence": cells.cell(row, "unit_cost", cells.optional(cells.amount)),
            "vat_pct": cells.cell(row, "vat", cells.optional(cells.vat_rate)),
            "from_at": cells.cell(row, "from", cells.optional(cells.from_moment)),
            "to_at": cells.cell(row, "to", cells.optional(cells.to_moment)),
        }
        for row in lines(data, MENU)
    ]
    for item in items:
        _must_end_later(f"Truck {item['truck_id']}: {item['menu_item']}", item["from_at"], item["to_at"])
    return {"menu_item": _once(items, lambda item: (item["truck_id"], item["menu_item"].lower(), item["from_at"]),
                               lambda item: f"Truck {item['truck_id']} has {item['menu_item']} on its menu"
                                            f"{_since(item['from_at'])}")}  # fmt: skip


def _pitches(data: bytes) -> dict[str, list[Record]]:
    pitches = [_pitch(row) for row in lines(data, PITCHES)]
    _no_overlap(pitches)
    return {"pitch": pitches}


def _pitch(row: Record) -> Record:
    """A stay. One that another stay cuts later is still known by `stay_from`, so that its fee is due once."""
    begins = cells.cell(row, "from", cells.moment)
    fee = cells.cell(row, "fee", cells.optional(cells.amount))
    percent = cells.cell(row, "fee_percent", cells.optional(cells.percent))
    return {
        "truck_id": cells.cell(row, "truck_id", cells.whole_id),
        "location_id": cells.cell(row, "location_id", cells.whole_id),
        "from_at": begins,
        "to_at": cells.cell(row, "to", cells.moment),
        "stay_from": begins,
        "event": cells.cell(row, "event", cells.optional(cells.name)),
        "fee_pence": fee,
        "fee_per": cells.cell(row, "fee_per", cells.no_value if fee is None else cells.fee_per),
        "fee_percent": None if percent is None else str(percent),
    }


def _costs(data: bytes) -> dict[str, list[Record]]:
    costs = [_cost(row) for row in lines(data, COSTS)]
    for cost in costs:
        _must_end_later(f"{_whose(cost)} {cost['cost']}", cost["from_date"], cost["to_date"])
    return {"cost": _once(costs, lambda cost: (cost["truck_id"], cost["cost"].lower(), cost["from_date"]),
                          lambda cost: f"{_whose(cost)} {cost['cost']}{_since(cost['from_date'])}")}  # fmt: skip


def _cost(row: Record) -> Record:
    per = cells.cell(row, "per", cells.per)
    return {
        "truck_id": cells.cell(row, "truck_id", cells.optional(cells.whole_id)),
        "cost": cells.cell(row, "cost", cells.name),
        "amount": str(cells.cell(row, "amount", cells.percent if per == "percent" else cells.amount)),
        "per": per,
        "from_date": cells.cell(row, "from", cells.optional(cells.day)),
        "to_date": cells.cell(row, "to", cells.optional(cells.day_after)),
    }


def _since(start: str | None) -> str:
    return f" from {start.replace('T', ' ')[:16]}" if start else ""


def _must_end_later(what: str, start: str | None, end: str | None) -> None:
    """Raise FeedError where something ends before it begins. Both are ISO days, or ISO moments."""
    if start and end and datetime.fromisoformat(end) <= datetime.fromisoformat(start):
        raise FeedError("unreadable", f"{what} ends before it begins. The previous version stays in force.")


def _whose(cost: Record) -> str:
    return f"Truck {cost['truck_id']} has" if cost["truck_id"] else "The fleet has"


def _once(found: list[Record], identity: Callable[[Record], Any], said: Callable[[Record], str]) -> list[Record]:
    """The records, if all differ. Raises FeedError, which names the first that is repeated."""
    seen: set[Any] = set()
    for record in found:
        if identity(record) in seen:
            raise FeedError("unreadable", f"{said(record)} twice: keep one. The previous version stays in force.")
        seen.add(identity(record))
    return found


def _no_overlap(pitches: list[Record]) -> None:
    for pitch in pitches:
        if datetime.fromisoformat(pitch["to_at"]) <= datetime.fromisoformat(pitch["from_at"]):
            raise FeedError("unreadable", f"Truck {pitch['truck_id']} leaves at {pitch['to_at']}, before it arrives.")
    ordered = sorted(pitches, key=lambda p: (p["truck_id"], datetime.fromisoformat(p["from_at"])))
    for before, after in itertools.pairwise(ordered):
        same = before["truck_id"] == after["truck_id"]
        if same and datetime.fromisoformat(before["to_at"]) > datetime.fromisoformat(after["from_at"]):
            raise FeedError("unreadable", f"Truck {after['truck_id']} is at two places from {after['from_at']}.")


_SHEETS = ("trucks", "locations")
_KNOWN = " and ".join(_SHEETS)
_READERS = {"details.xlsx": _details, "menu.csv": _menu, "pitches.csv": _pitches, "costs.csv": _costs,
            "terminals.csv": accounts.terminals, "banking.csv": accounts.banking}  # fmt: skip
