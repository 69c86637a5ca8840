"""Rejected rows: listed, shown with the decisions on them, validated by the present rules."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

import pyarrow as pa
import sqlalchemy as sa

from t3lib import feed
from t3lib.cleaning import Cleaned, Rulebook
from t3lib.cleaning.truck_facts import read_truck_facts
from t3lib.feed.keys import batch_window
from t3lib.problems import RefusedError, WrongUseError
from t3lib.warehouse.files import rulesets
from t3lib.warehouse.files.file_outcomes import FILES_SCHEMA

STATUSES: dict[str, str] = {
    "open": "Not loaded; a person or a later rule may decide otherwise.",
    "repaired": "A person gave it a value; it is a sale.",
    "replayed": "A later rule accepts it; it is a sale.",
    "dismissed": "A person said that it is no sale.",
    "superseded": "Its file was replaced or held; it decides nothing any more.",
}

_ROW = """
    SELECT row.file_id, row.row_number, row.truck_id, raw_timestamp, raw_type, raw_total, raw_line, row.reason,
           suggested_pence, row.status, row.sold_at, coalesce(row.business_date, file.batch_date) AS business_date,
           file.key, file.state, file.last_modified, file.batch_date, file.batch_hour
    FROM ops.rejected_row AS row
    JOIN ops.source_file AS file USING (file_id)
"""
_FILTER = """
    WHERE row.status = ANY(:statuses) AND file.state = 'loaded'
      AND (CAST(:reason AS text) IS NULL OR row.reason = :reason)
      AND (CAST(:truck AS integer) IS NULL OR row.truck_id = :truck)
      AND (CAST(:first AS date) IS NULL OR coalesce(row.business_date, file.batch_date) >= :first)
      AND (CAST(:last AS date) IS NULL OR coalesce(row.business_date, file.batch_date) <= :last)
"""
_ONE = sa.text(_ROW + " WHERE row.file_id = :file_id AND row.row_number = :row_number")
_SENTENCE = sa.text("SELECT sentence FROM mart.rejected WHERE file_id = :file_id AND row_number = :row_number")
_LISTED = sa.text(_ROW + _FILTER + " ORDER BY row.file_id DESC, row.row_number LIMIT :limit")
_COUNT = sa.text(f"SELECT count(*) FROM ({_ROW + _FILTER}) AS row")
_HISTORY = sa.text("""
    SELECT repair_id, made_at, action, undoes, actor, why, forced, status_before, status_after, sold_at, payment_type,
           total_pence
    FROM ops.repair
    WHERE file_id = :file_id AND row_number = :row_number
    ORDER BY repair_id
""")


class Filter(TypedDict, total=False):
    """Which rejected rows are wanted: their statuses (default: open), reason, truck and business days."""

    statuses: Iterable[str]
    reason: str | None
    truck: int | None
    first: date | None
    last: date | None


def listed(db: sa.Connection, *, limit: int | None = 50, **wanted: Unpack[Filter]) -> list[dict[str, Any]]:
    """The newest rejected rows of loaded files: raw text, reason, suggestion, status, file."""
    if (reason := wanted.get("reason")) and reason not in (known := rulesets.sentences(db)):
        raise WrongUseError(f"There is no reason {reason!r}: choose one of {', '.join(known)}.")
    return [dict(row) for row in db.execute(_LISTED, _bound(wanted) | {"limit": limit}).mappings()]


def count(db: sa.Connection, **wanted: Unpack[Filter]) -> int:
    """How many rejected rows these are."""
    return int(db.scalar(_COUNT, _bound(wanted)) or 0)


def show(db: sa.Connection, file_id: int, row_number: int) -> dict[str, Any]:
    """One rejected row with the sentence of its reason, as it was then, and every decision on it, oldest first.

    Raises RefusedError."""
    row = db.execute(_ONE, {"file_id": file_id, "row_number": row_number}).mappings().one_or_none()
    if row is None:
        raise RefusedError(f"Row {row_number} of file {file_id} was not rejected: `t3 rejects list` shows which were.")
    history = db.execute(_HISTORY, {"file_id": file_id, "row_number": row_number}).mappings()
    sentence = db.scalar(_SENTENCE, {"file_id": file_id, "row_number": row_number})
    return {**row, "sentence": sentence, "decisions": [dict(line) for line in history]}


def validate(
    db: sa.Connection, rows: list[dict[str, Any]], typed: dict[str, str] | None = None, *, believing: bool = False,
    rules: Rulebook | None = None,
) -> Cleaned:  # fmt: skip
    """What the rules in force make of rejected rows, by their raw text or by typed values.

    believing: whatever can be booked is a sale."""
    raw = [row | (typed or {name: row[f"raw_{name}"] for name in (*feed.COLUMNS, "line")}) for row in rows]
    files = {row["file_id"]: row | _window(row) | {"uploaded_at": row["last_modified"]} for row in rows}
    raw_rows = pa.Table.from_pylist(raw, schema=feed.RAW_SCHEMA)
    of_files = pa.Table.from_pylist(list(files.values()), schema=FILES_SCHEMA)
    rules = rules or Rulebook.in_force()
    return rules.clean(raw_rows, of_files, read_truck_facts(db), rulesets.register(db, rules), believing=believing)


def must_be_open(row: dict[str, Any]) -> None:
    """Raise RefusedError unless a person may decide on a row."""
    if row["state"] != "loaded":
        raise RefusedError(f"{row['key']} is {row['state'].replace('_', ' ')}: its rows decide nothing any more.")
    if row["status"] != "open":
        raise RefusedError(f"This row is {row['status']} already: take that back first (`t3 rejects undo`).")


def _bound(wanted: Filter) -> dict[str, Any]:
    """The parameters of a query for these rows."""
    names = ("reason", "truck", "first", "last")
    return {name: wanted.get(name) for name in names} | {"statuses": list(wanted.get("statuses", ("open",)))}


def _window(row: dict[str, Any]) -> dict[str, datetime]:
    if row["batch_date"] is None or row["batch_hour"] is None:
        return {}
    return dict(zip(("window_from", "window_to"), batch_window(row["batch_date"], row["batch_hour"]), strict=True))
