"""What was decided on rejected rows: written once, kept when their file is read again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.change import apply
from t3lib.warehouse.cursor import Cursor
from t3lib.warehouse.restatement import Label

RULES = "the rules"

_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("row_number", pa.int32()), ("action", pa.string()), ("actor", pa.string()),
     ("why", pa.string()), ("status_before", pa.string()), ("status_after", pa.string()), ("forced", pa.bool_()),
     ("undoes", pa.int64()), ("sold_at", pa.timestamp("us", "UTC")), ("payment_type", pa.string()),
     ("total_pence", pa.int32())]
)  # fmt: skip
# People's decisions that stand, each with its latest line of the audit.
_STANDING = """
    SELECT row.file_id, row.row_number, row.status, row.raw_timestamp, row.raw_type, row.raw_total, row.raw_line,
           last.actor, last.why
    FROM ops.rejected_row AS row
    CROSS JOIN LATERAL (
        SELECT actor, why FROM ops.repair
        WHERE repair.file_id = row.file_id AND repair.row_number = row.row_number
        ORDER BY repair_id DESC
        LIMIT 1
    ) AS last
    WHERE row.file_id = ANY($1) AND row.status IN ('repaired', 'dismissed')
"""
_STATUS = """
    UPDATE ops.rejected_row AS row SET status = decided.status_after
    FROM decided
    WHERE row.file_id = decided.file_id AND row.row_number = decided.row_number
"""
_LOCKED = "SELECT file_id FROM ops.source_file WHERE file_id = ANY($1) AND state = 'loaded' ORDER BY file_id FOR UPDATE"
_STATUSES = "SELECT file_id, row_number, status FROM ops.rejected_row WHERE file_id = ANY($1)"


@dataclass(frozen=True)
class Decision:
    """One line of ops.repair; sold_at, payment_type and total_pence are those of the sale that came or went."""

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
    """Keep decisions and give their rows the new status."""
    if not decisions:
        return
    table = pa.Table.from_pylist([asdict(decision) for decision in decisions], schema=_SCHEMA)
    cursor.put("ops.repair", table)
    cursor.keep("decided", table.select(["file_id", "row_number", "status_after"]))
    cursor.execute(_STATUS)
    cursor.execute("DROP TABLE decided")


def on(row: dict[str, Any], action: str, actor: str, why: str, status: str, sale: dict[str, Any] | None,
       **more: Any) -> Decision:  # fmt: skip
    """A decision on a row that gives it a status, with the sale that comes or goes by it."""
    value = {name: sale[name] for name in ("sold_at", "payment_type", "total_pence")} if sale else {}
    return Decision(row["file_id"], row["row_number"], action, actor, why, row["status"], status, **value, **more)


def lock(cursor: Cursor, file_ids: list[int]) -> None:
    """Hold loaded files until the transaction ends, so that their rows stay as they are."""
    if file_ids:
        cursor.execute(_LOCKED, [file_ids])
        cursor.fetchall()


def as_read(cursor: Cursor, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those rows whose status is as it was read."""
    if not rows:
        return []
    cursor.execute(_STATUSES, [sorted({row["file_id"] for row in rows})])
    now = {(r["file_id"], r["row_number"]): r["status"] for r in cursor.table().to_pylist()}
    return [row for row in rows if now.get((row["file_id"], row["row_number"])) == row["status"]]


def take(cursor: Cursor, taken: list[Decision], come: pa.Table, gone: pa.Table, labels: dict[int, Label]) -> None:
    """Write decisions, and move the sales that come and go by them."""
    write(cursor, taken)
    if come.num_rows or gone.num_rows:
        counted = dict.fromkeys(sorted({decision.file_id for decision in taken}))
        apply(cursor, come, gone, labels, counted, actor=taken[0].actor, why=taken[0].why)


def standing(cursor: Cursor, file_ids: list[int]) -> list[dict[str, Any]]:
    """The rows of these files that a person repaired or dismissed."""
    if not file_ids:
        return []
    cursor.execute(_STANDING, [file_ids])
    return cursor.table().to_pylist()


def carry(stood: list[dict[str, Any]], successors: dict[int, int], gone: pa.Table,
          rejects: pa.Table) -> tuple[list[Decision], pa.Table]:  # fmt: skip
    """Decisions on rows that a new version of their file holds unchanged and that are rejected again.

    stood: of `standing`; successors: the new file by the replaced one; gone: its sales. Returns the decisions
    and the sales that the repaired ones make."""
    if not stood:
        return [], gone.schema.empty_table()
    wanted = pa.array([successors[row["file_id"]] for row in stood], pa.int64())
    again = {_identity(row): row for row in rejects.filter(pc.is_in(rejects["file_id"], wanted)).to_pylist()}
    sold = {(row["file_id"], row["row_number"]): row for row in only(gone, stood).to_pylist()}
    decisions, sales = [], []
    for row in stood:
        new = {**row, "file_id": successors[row["file_id"]], "status": "open"}
        if _identity(new) not in again:
            continue
        sale = sold.get((row["file_id"], row["row_number"]))
        decisions.append(on(new, "carry", row["actor"], row["why"], row["status"], sale))
        if sale:
            sales.append(sale | {"file_id": new["file_id"]})
    return decisions, pa.Table.from_pylist(sales, schema=gone.schema)


def without(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """A table of rows less those with the (file_id, row_number) of a list."""
    return table.filter(pc.invert(_among(table, rows))) if rows else table


def only(table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Those rows of a table that have the (file_id, row_number) of a list."""
    return table.filter(_among(table, rows)) if rows else table.schema.empty_table()


def _among(table: pa.Table, rows: list[dict[str, Any]]) -> pa.ChunkedArray:
    wanted = pa.array([_line(row["file_id"], row["row_number"]) for row in rows], pa.int64())
    lines = pc.add(pc.multiply(table["file_id"], 2**31), table["row_number"].cast(pa.int64()))
    return pc.is_in(lines, value_set=wanted)


def _line(file_id: int, row_number: int) -> int:
    """A row's identity as one number; file ids stay below 2**32 for a long time."""
    return file_id * 2**31 + row_number


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("file_id", "row_number", "raw_timestamp", "raw_type", "raw_total", "raw_line"))
