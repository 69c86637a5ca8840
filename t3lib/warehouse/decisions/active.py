"""People's active decisions on rejected rows: they follow their row's text when its file is read again."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.decisions import decisions
from t3lib.warehouse.decisions.decisions import RULES, Decision

_TEXT = ("raw_timestamp", "raw_type", "raw_total", "raw_line")
# Rows with an active decision, each with the latest one of ops.repair; nth: among the rows with the same text.
_ACTIVE = """
    WITH rejected AS (
        SELECT file_id, row_number, status, raw_timestamp, raw_type, raw_total, raw_line,
               row_number() OVER (PARTITION BY file_id, raw_timestamp, raw_type, raw_total, raw_line
                                  ORDER BY row_number) AS nth
        FROM ops.rejected_row
        WHERE file_id = ANY($1)
    )

    SELECT row.*, last.repair_id, last.actor, last.why, last.forced
    FROM rejected AS row
    CROSS JOIN LATERAL (
        SELECT repair_id, actor, why, forced FROM ops.repair
        WHERE repair.file_id = row.file_id AND repair.row_number = row.row_number
        ORDER BY repair_id DESC
        LIMIT 1
    ) AS last
    WHERE row.status IN ('repaired', 'dismissed')
"""


@dataclass(frozen=True)
class Followed:
    """Decisions on rows of a file that is read again. here: those whose row has its number still. ended: what ends the
    others. carried: what repeats them at the row's new number; sales: what these make."""

    here: list[dict[str, Any]]
    ended: list[Decision]
    carried: list[Decision]
    sales: pa.Table


def active_decisions(cursor: Cursor, file_ids: list[int]) -> list[dict[str, Any]]:
    """The rows of these files that a person repaired or dismissed, each with who, why and the nth of its text."""
    if not file_ids:
        return []
    cursor.execute(_ACTIVE, [file_ids])
    rows: list[dict[str, Any]] = cursor.table().to_pylist()
    return rows


def carry(existing: list[dict[str, Any]], successors: dict[int, int], deleted: pa.Table,
          rejects: pa.Table) -> tuple[list[Decision], pa.Table]:  # fmt: skip
    """Decisions carried to a new version of their file, where it holds their row's text too and rejects it again.

    existing: of `active_decisions`; successors: the new file by the replaced one; deleted: its sales. A row with
    another number in the new version is found by its text: the nth of equal ones stays the nth. Returns the decisions
    and the sales that the repaired ones make."""
    if not existing:
        return [], deleted.schema.empty_table()
    places = _places(rejects, {successors[row["file_id"]] for row in existing})
    sold = {_at(row): row for row in decisions.only(deleted, existing).to_pylist()}
    made, sales = [], []
    for row in existing:
        new = {"file_id": successors[row["file_id"]], "status": "open"}
        if (place := places.get((new["file_id"], *_text(row), row["nth"]))) is None:
            continue
        new["row_number"] = place
        sale = sold.get(_at(row))
        made.append(decisions.on(new, "carry", row["actor"], row["why"], row["status"], sale, forced=row["forced"]))
        if sale:
            sales.append(sale | {"file_id": new["file_id"], "row_number": place})
    return made, pa.Table.from_pylist(sales, schema=deleted.schema)


def follow(existing: list[dict[str, Any]], moved: set[int], sales: pa.Table, rejects: pa.Table) -> Followed:
    """The same for reprocessed files; `sales` are the loaded ones.

    moved: the files that now have more rows or fewer. Only there, and where the row of that number has another text,
    can a row have moved; elsewhere a row that is no longer rejected is one that the rules accept."""
    files = {row["file_id"] for row in existing}
    places = _places(rejects, files)
    texts = {(text[0], place): text[1:-1] for text, place in places.items()}
    moved = moved | {row["file_id"] for row in existing if texts.get(_at(row), _text(row)) != _text(row)}
    now = {_at(row): places.get((row["file_id"], *_text(row), row["nth"])) for row in existing}
    left = [row for row in existing if row["file_id"] in moved and now[_at(row)] != row["row_number"]]
    ended = [_end(row, now[_at(row)], sales) for row in left]
    carried, made = carry(left, {file_id: file_id for file_id in files}, sales, rejects)
    return Followed([row for row in existing if row not in left], ended, carried, made)


def with_other_counts(before: Iterable[pa.Table], now: Iterable[pa.Table]) -> set[int]:
    """The files of which these tables hold another number of rows than those."""
    then, found = (Counter(one for table in tables for one in table["file_id"].to_pylist()) for tables in (before, now))
    return {file_id for file_id in then | found if then[file_id] != found[file_id]}


def _places(rejects: pa.Table, files: set[int]) -> dict[tuple[Any, ...], int]:
    """The number of each rejected row of some files by (file_id, its text, nth of that text)."""
    wanted = pa.array(sorted(files), pa.int64())
    lines = rejects.filter(pc.is_in(rejects["file_id"], wanted)).select(["file_id", "row_number", *_TEXT])
    seen: Counter[tuple[Any, ...]] = Counter()
    found = {}
    for row in lines.sort_by("row_number").to_pylist():
        text = (row["file_id"], *_text(row))
        seen[text] += 1
        found[(*text, seen[text])] = row["row_number"]
    return found


def _end(row: dict[str, Any], place: int | None, sales: pa.Table) -> Decision:
    """What ends a decision at the row's former number."""
    where = "The file no longer has this row among the rejected ones." if place is None else f"It is row {place} now."
    sale = next(iter(decisions.only(sales, [row]).to_pylist()), None)
    return decisions.on(row, "undo", RULES, where, "open", sale, undoes=row["repair_id"])


def _text(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _TEXT)


def _at(row: dict[str, Any]) -> tuple[int, int]:
    return row["file_id"], row["row_number"]
