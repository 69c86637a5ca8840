"""metadata/terminals.csv and metadata/banking.csv: which truck an account, terminal or reference was of."""

import itertools
from collections.abc import Callable
from typing import Any

from t3lib.business_day import BEGINNING, END
from t3lib.feed import cells
from t3lib.feed.bounds import FeedError
from t3lib.feed.metadata_lists import Columns, Record, lines

TERMINALS = Columns(("provider", "account"), ("terminal", "truck_id", "from", "to"))
BANKING = Columns(("truck_id", "reference"), ("float", "within_days", "from", "to"))
WITHIN_DAYS, MOST_DAYS = 7, 365


def terminals(data: bytes) -> dict[str, list[Record]]:
    """One record per row of terminals.csv. Raises FeedError, also where one account has two owners on a day."""
    found = [
        {
            "provider": cells.cell(row, "provider", cells.name).lower(),
            "account": cells.cell(row, "account", cells.name),
            "terminal": cells.cell(row, "terminal", cells.description) or "",
            "truck_id": cells.cell(row, "truck_id", cells.optional(cells.whole_id)),
            **_span(row),
        }
        for row in lines(data, TERMINALS)
    ]
    _no_overlap(found, lambda row: (row["provider"], row["account"], row["terminal"]), _said)
    return {"terminal": found}


def banking(data: bytes) -> dict[str, list[Record]]:
    """One record per row of banking.csv. Raises FeedError, also where a truck has two rows for a day."""
    found = [
        {
            "truck_id": cells.cell(row, "truck_id", cells.whole_id),
            "reference": cells.cell(row, "reference", cells.name),
            "float_pence": cells.cell(row, "float", cells.optional(cells.amount)) or 0,
            "within_days": cells.cell(row, "within_days", cells.optional(_days)) or WITHIN_DAYS,
            **_span(row),
        }
        for row in lines(data, BANKING)
    ]
    _no_overlap(found, lambda row: row["truck_id"], lambda row: f"Truck {row['truck_id']} has two rows")
    return {"banking": found}


def _said(row: Record) -> str:
    return " ".join(filter(None, (row["provider"], row["account"], row["terminal"]))) + " has two rows"


def _span(row: Record) -> Record:
    first = cells.cell(row, "from", cells.optional(cells.day)) or BEGINNING.isoformat()
    until = cells.cell(row, "to", cells.optional(cells.day_after)) or END.isoformat()
    if until <= first:
        raise FeedError("unreadable", f"{row['']}: it ends before it begins. The previous version stays in force.")
    return {"from_date": first, "to_date": until}


def _days(value: Any) -> int:
    days = cells.whole_id(value)
    if days > MOST_DAYS:
        raise ValueError(f"at most {MOST_DAYS} days may be given")
    return days


def _no_overlap(found: list[Record], of: Callable[[Record], Any], said: Callable[[Record], str]) -> None:
    ordered = sorted(found, key=lambda row: (of(row), row["from_date"]))
    for before, after in itertools.pairwise(ordered):
        if of(before) == of(after) and before["to_date"] > after["from_date"]:
            raise FeedError("unreadable", f"{said(after)} from {after['from_date']}: give the first one a day in TO. "
                                          "The previous version stays in force.")  # fmt: skip
