"""Loading reprocessed files: only rows that differ are inserted or deleted, and people's decisions stay."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.cleaning import Rulebook
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.db.partitions import ensure_months
from t3lib.warehouse.decisions import active, decisions
from t3lib.warehouse.decisions.active import Followed
from t3lib.warehouse.decisions.decisions import RULES, Decision
from t3lib.warehouse.files import rulesets
from t3lib.warehouse.files.reprocessing import REPROCESSED
from t3lib.warehouse.load.loading import Loaded
from t3lib.warehouse.sales.change import (
    SALE_SCHEMA,
    apply,
    changing,
    delete_rows,
    require_dimensions,
    sales_of,
)
from t3lib.warehouse.sales.restatements import Label

REJECT_SCHEMA = pa.schema(
    [("truck_id", pa.int32()), ("file_id", pa.int64()), ("row_number", pa.int32()),
     ("sold_at", pa.timestamp("us", "UTC")), ("business_date", pa.date32()), ("raw_timestamp", pa.string()),
     ("raw_type", pa.string()), ("raw_total", pa.string()), ("raw_line", pa.string()), ("reason", pa.string()),
     ("suggested_pence", pa.int32())]
)  # fmt: skip
_LINE = ["file_id", "row_number"]

_LOCKED = """
    SELECT file.file_id, file.key, file.state, batch.cause, batch.actor, batch.why
    FROM ops.again_file AS listed
    JOIN ops.batch USING (batch_id)
    JOIN ops.source_file AS file ON file.file_id = listed.file_id
    WHERE listed.batch_id = $1 AND listed.outcome IS NULL
    ORDER BY file.file_id
    FOR UPDATE OF listed, file
"""
_REJECTS = """
    SELECT truck_id, file_id, row_number, sold_at, business_date, raw_timestamp, raw_type, raw_total, raw_line,
           reason, suggested_pence
    FROM ops.rejected_row
    WHERE file_id = ANY($1) AND status = 'open'
"""
_OUTCOME = """
    UPDATE ops.again_file AS listed
    SET outcome = validated.outcome, reason = validated.reason, finished_at = now()
    FROM validated WHERE listed.batch_id = $1 AND listed.file_id = validated.file_id
"""


@dataclass(frozen=True)
class Comparison:
    """Reprocessed files compared with the loaded rows: `sales` and `rejects` are all rows now, the others what differs.

    A null in the differing rejects is replaced by a value that no row has."""

    sales: pa.Table
    accepted: list[Decision]
    followed: Followed
    inserted: pa.Table
    deleted: pa.Table
    rejects: pa.Table
    rejects_inserted: pa.Table
    rejects_deleted: pa.Table

    @cached_property
    def files(self) -> set[int]:
        """The files of which any row differs."""
        tables = (self.inserted, self.deleted, self.rejects_inserted, self.rejects_deleted)
        return {file_id for table in tables for file_id in table["file_id"].to_pylist()}


def load(
    batch_id: str,
    files: pa.Table,
    sales: pa.Table,
    rejects: pa.Table,
    url: str | None = None,
    *,
    cleaned_under: str | None = None,
    rules: Rulebook | None = None,
) -> Loaded:
    """Commit a reprocessed batch in one transaction: only rows that differ are inserted or deleted.

    A row that a person repaired or dismissed stays so, unless the rules now accept the repaired value themselves.
    A repeated load changes nothing. Raises DimensionsChangedError as `loading.load` does."""
    ensure_months(sales, url)
    with changing(url) as cursor:
        require_dimensions(cursor, cleaned_under)
        cursor.execute(_LOCKED, [batch_id])
        claimed = cursor.table().to_pylist()
        staged = {row["file_id"]: row for row in files.to_pylist()}
        validated = {row["file_id"]: validate(row, staged[row["file_id"]]) for row in claimed}
        readable = [file_id for file_id, (outcome, _) in validated.items() if outcome == "unchanged"]
        found = compare(cursor, readable, sales, rejects)
        _replace_rejects(cursor, found)
        if rules:
            rulesets.note(cursor, rules, readable)
        changes = []
        for lines in (found.accepted, found.followed.ended, found.followed.carried):
            decisions.write(cursor, lines)
        if found.files or found.accepted:
            cause, actor, why = (claimed[0][name] for name in ("cause", "actor", "why"))
            labels = {row["file_id"]: Label(cause, row["key"]) for row in claimed}
            rows_read = {file_id: staged[file_id]["rows_read"] for file_id in readable}
            given = {"batch_id": batch_id, "actor": actor, "why": why}
            changes = apply(cursor, found.inserted, found.deleted, labels, rows_read, **given)
        _finish(cursor, batch_id, validated | dict.fromkeys(found.files, ("restated", REPROCESSED["restated"])))
    read = sum(staged[file_id]["rows_read"] for file_id in readable)
    states = Counter("restated" if file_id in found.files else outcome for file_id, (outcome, _) in validated.items())
    pence = pc.sum(found.sales["total_pence"], min_count=0).as_py()
    return Loaded(dict(sorted(states.items())), read, found.sales.num_rows, read - found.sales.num_rows, pence, changes)


def compare(cursor: Cursor, files: list[int], sales: pa.Table, rejects: pa.Table) -> Comparison:
    """What differs now for these loaded files; it only reads. Rows of other files are left out."""
    existing, before, then = active.active_decisions(cursor, files), sales_of(cursor, files), _rejects_of(cursor, files)
    sales = _of_files(sales, files).select(SALE_SCHEMA.names).cast(SALE_SCHEMA)
    rejects = _of_files(rejects, files).select(REJECT_SCHEMA.names).cast(REJECT_SCHEMA)
    followed = active.follow(existing, _with_other_counts(existing, (before, then), (sales, rejects)), before, rejects)
    sales, accepted = _under_decisions(followed.here, before, sales)
    sales, rejects = pa.concat_tables([sales, followed.sales]), decisions.without(rejects, followed.here)
    now, then = _without_nulls(rejects), _without_nulls(then)
    return Comparison(
        sales, accepted, followed, _minus(sales, before), _minus(before, sales), rejects, _minus(now, then),
        _minus(then, now),
    )  # fmt: skip


def between(first: Comparison, last: Comparison) -> Comparison:
    """How the rows of a second comparison of the same files differ from those of the first."""
    then, now = _without_nulls(first.rejects), _without_nulls(last.rejects)
    return replace(
        last, inserted=_minus(last.sales, first.sales), deleted=_minus(first.sales, last.sales),
        rejects_inserted=_minus(now, then), rejects_deleted=_minus(then, now),
    )  # fmt: skip


def validate(claimed: dict[str, Any], staged: dict[str, Any]) -> tuple[str, str]:
    """(outcome, reason) of a file before its rows are compared."""
    if claimed["state"] != "loaded":
        return "superseded", REPROCESSED["superseded"]
    if staged["state"] == "superseded":
        return "gone", REPROCESSED["gone"]
    if staged["state"] != "loaded":
        return "refused", f"{REPROCESSED['refused']} {staged['reason']}"
    return "unchanged", REPROCESSED["unchanged"]


def _of_files(table: pa.Table, files: list[int]) -> pa.Table:
    return table.filter(pc.is_in(table["file_id"], value_set=pa.array(files, pa.int64())))


def _with_other_counts(
    existing: list[dict[str, Any]], before: tuple[pa.Table, pa.Table], now: tuple[pa.Table, pa.Table]
) -> set[int]:
    """The files with decisions that now have more rows than before, or fewer."""
    if not existing:
        return set()
    dismissed = pa.Table.from_pylist([row for row in existing if row["status"] == "dismissed"], schema=REJECT_SCHEMA)
    return active.with_other_counts((*before, dismissed), now)


def _under_decisions(
    existing: list[dict[str, Any]], before: pa.Table, sales: pa.Table
) -> tuple[pa.Table, list[Decision]]:
    """(sales with the active decisions applied, a decision for each repair that the rules now make themselves)."""
    kept, now = decisions.only(before, existing), decisions.only(sales, existing).to_pylist()
    made = {(row["file_id"], row["row_number"]): row for row in now}
    accepted = [
        Decision(row["file_id"], row["row_number"], "accept", RULES, "The rules accept the row with the same value.",
                 "repaired", "replayed", **_value(row))
        for row in kept.to_pylist()
        if (same := made.get((row["file_id"], row["row_number"]))) and _value(same) == _value(row)
    ]  # fmt: skip
    return pa.concat_tables([decisions.without(sales, existing), kept]), accepted


def _value(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("sold_at", "payment_type", "total_pence")}


def _minus(these: pa.Table, those: pa.Table) -> pa.Table:
    """The rows of one table that the other lacks, every column compared."""
    found = these.join(those, keys=these.column_names, join_type="left anti")
    return found.select(these.column_names).cast(these.schema)


def _rejects_of(cursor: Cursor, files: list[int]) -> pa.Table:
    """The open rejects of these files."""
    if not files:
        return REJECT_SCHEMA.empty_table()
    cursor.execute(_REJECTS, [files])
    return cursor.table().cast(REJECT_SCHEMA)


def _replace_rejects(cursor: Cursor, found: Comparison) -> None:
    """Replace the open rejects that differ."""
    ended = pa.Table.from_pylist([vars(line) for line in found.followed.ended], schema=REJECT_SCHEMA)
    to_delete = pa.concat_tables(
        [table.select(_LINE) for table in (found.rejects_inserted, found.rejects_deleted, ended)]
    )
    to_delete = to_delete.group_by(_LINE).aggregate([])
    if to_delete.num_rows:
        delete_rows(cursor, "ops.rejected_row", to_delete)
    if found.rejects_inserted.num_rows:
        new = decisions.only(found.rejects, found.rejects_inserted.select(_LINE).to_pylist())
        cursor.copy_in("ops.rejected_row", new)


def _without_nulls(rejects: pa.Table) -> pa.Table:
    """Rejects without nulls, so that an absent value equals an absent value."""
    texts = [(name, "\0") for name in ("raw_timestamp", "raw_type", "raw_total", "raw_line")]
    for name, value in (*texts, ("suggested_pence", -1)):
        rejects = rejects.set_column(rejects.schema.get_field_index(name), name, pc.fill_null(rejects[name], value))
    for name in ("sold_at", "business_date"):
        numbers = rejects[name].cast(pa.int64() if name == "sold_at" else pa.int32())
        rejects = rejects.set_column(rejects.schema.get_field_index(name), name, pc.fill_null(numbers, -1))
    return rejects


def _finish(cursor: Cursor, batch_id: str, validated: dict[int, tuple[str, str]]) -> None:
    rows = [
        {"file_id": file_id, "outcome": outcome, "reason": reason} for file_id, (outcome, reason) in validated.items()
    ]
    schema = pa.schema([("file_id", pa.int64()), ("outcome", pa.string()), ("reason", pa.string())])
    cursor.temporary_table("validated", pa.Table.from_pylist(rows, schema=schema))
    cursor.execute(_OUTCOME, [batch_id])
    cursor.execute("DROP TABLE validated")
