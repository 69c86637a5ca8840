"""Decisions on rejected rows: written once, never changed."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.sales import change
from t3lib.warehouse.sales.restatements import Label

RULES = "the rules"

_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("row_number", pa.int32()), ("action", pa.string()), ("actor", pa.string()),
     ("why", pa.string()), ("status_before", pa.string()), ("status_after", pa.string()), ("forced", pa.bool_()),
     ("undoes", pa.int64()), ("sold_at", pa.timestamp("us", "UTC")), ("payment_type", pa.string()),
     ("total_pence", pa.int32())]
)  # fmt: skip
_STATUS = """
    UPDATE ops.rejected_row AS row SET status = decided.status_after
    FROM decided
    WHERE row.file_id = decided.file_id AND row.row_number = decided.row_number
"""
_LOCKED = "SELECT file_id FROM ops.source_file WHERE file_id = ANY($1) AND state = 'loaded' ORDER BY file_id FOR UPDATE"
_STATUSES = "SELECT file_id, row_number, status FROM ops.rejected_row WHERE file_id = ANY($1)"


@dataclass(frozen=True)
class Decision:
    """One line of ops.repair; sold_at, payment_type and total_pence are of the sale inserted or deleted."""

    file_id: int
    row_number: int
    action: str
    actor: str
    why: str
    status_before: str
    status_after: str
    forced: bool = False
    undoes: int | None = None
    sold_at: datetime | None = None
    payment_type: str | None = None
    total_pence: int | None = None


def write(cursor: Cursor, decisions: list[Decision]) -> None:
    """Write decisions and give their rows the new status."""
    if not decisions:
        return
    table = pa.Table.from_pylist([asdict(decision) for decision in decisions], schema=_SCHEMA)
    cursor.copy_in("ops.repair", table)
    cursor.temporary_table("decided", table.select(["file_id", "row_number", "status_after"]))
    cursor.execute(_STATUS)
    cursor.execute("DROP TABLE decided")


def on(row: dict[str, Any], action: str, actor: str, why: str, status: str, sale: dict[str, Any] | None,
       **more: Any) -> Decision:  # fmt: skip
    """A decision that gives a row this status, with the sale that it inserts or deletes."""
    value = {name: sale[name] for name in ("sold_at", "payment_type", "total_pence")} if sale else {}
    return Decision(row["file_id"], row["row_number"], action, actor, why, row["status"], status, **value, **more)


def lock(cursor: Cursor, file_ids: list[int]) -> None:
    """Lock loaded files until the transaction ends, so that their rows stay."""
    if file_ids:
        cursor.execute(_LOCKED, [file_ids])
        cursor.fetchall()


def unchanged(cursor: Cursor, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows whose status has not changed since they were read."""
    if not rows:
        return []
    cursor.execute(_STATUSES, [sorted({row["file_id"] for row in rows})])
    now = {(r["file_id"], r["row_number"]): r["status"] for r in cursor.table().to_pylist()}
    return [row for row in rows if now.get((row["file_id"], row["row_number"])) == row["status"]]


def apply(
    cursor: Cursor, taken: list[Decision], inserted: pa.Table, deleted: pa.Table, labels: dict[int, Label]
) -> None:
    """Write decisions, and insert and delete the sales that they concern."""
    write(cursor, taken)
    if inserted.num_rows or deleted.num_rows:
        counted = dict.fromkeys(sorted({decision.file_id for decision in taken}))
        change.apply(cursor, inserted, deleted, labels, counted, actor=taken[0].actor, why=taken[0].why)


def without(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows of a table that a list lacks, by (file_id, row_number)."""
    return table.filter(pc.invert(_among(table, rows))) if rows else table


def only(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows of a table that are in a list, by (file_id, row_number)."""
    return table.filter(_among(table, rows)) if rows else table.schema.empty_table()


def _among(table: pa.Table, rows: list[dict[str, Any]]) -> pa.ChunkedArray:
    wanted = pa.array([_line(row["file_id"], row["row_number"]) for row in rows], pa.int64())
    lines = pc.add(pc.multiply(table["file_id"], 2**31), table["row_number"].cast(pa.int64()))
    return pc.is_in(lines, value_set=wanted)


def _line(file_id: int, row_number: int) -> int:
    """(file_id, row_number) as one number; file ids stay below 2**32."""
    return file_id * 2**31 + row_number
