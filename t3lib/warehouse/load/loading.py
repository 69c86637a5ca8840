"""Loading a cleaned batch: one transaction in which files, sales, rejects and rollups change together or not at all."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.business_day import business_date, today
from t3lib.cleaning import Rulebook
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.db.partitions import ensure_months
from t3lib.warehouse.decisions import active, decisions
from t3lib.warehouse.files import identity, rulesets
from t3lib.warehouse.files.file_outcomes import decide, reopen_held
from t3lib.warehouse.files.rulesets import FLAGS
from t3lib.warehouse.sales import restatements, rollups
from t3lib.warehouse.sales.change import add_sales, changing, require_dimensions, sales_of
from t3lib.warehouse.sales.day_changes import DayChange
from t3lib.warehouse.sales.restatements import Label

_OUTCOME = """
    UPDATE ops.source_file AS file
    SET state = outcome.state, reason = outcome.reason, content_sha256 = outcome.content_sha256,
        rejects_digest = outcome.rejects_digest, warnings = outcome.warnings,
        columns_not_read = coalesce(outcome.columns_not_read, '{}'), rows_read = outcome.rows_read,
        rows_loaded = outcome.rows_loaded, rows_rejected = outcome.rows_rejected, pence_loaded = outcome.pence_loaded,
        first_sale_at = outcome.first_sale_at, last_sale_at = outcome.last_sale_at,
        superseded_by = outcome.superseded_by, finished_at = now()
    FROM outcome WHERE file.file_id = outcome.file_id
"""
# For all files at once: a statement per file would be a round trip per file.
_REPLACE = (
    """
    DELETE FROM core.sale USING newer
    WHERE sale.truck_id = newer.truck_id AND sale.file_id = newer.replaces
    """,
    "UPDATE ops.rejected_row SET status = 'superseded' FROM newer WHERE rejected_row.file_id = newer.replaces",
    """
    UPDATE ops.source_file AS file
    SET state = 'superseded', superseded_by = newer.file_id, reason = 'A newer version of the same key was loaded.'
    FROM newer WHERE file.file_id = newer.replaces
    """,
    "DROP TABLE newer",
)
# When figures were last shown before a file was discovered: a file of an earlier day is late then.
_SHOWN_BEFORE = """
    SELECT discovered_at,
           (SELECT max(finished_at) FROM ops.source_file
            WHERE state IN ('loaded', 'superseded') AND kind IN ('sales', 'history')
              AND finished_at < seen.discovered_at) AS shown_at
    FROM (SELECT DISTINCT discovered_at FROM ops.source_file WHERE file_id = ANY($1)) AS seen
"""


@dataclass(frozen=True)
class Loaded:
    """What one load did. Pence: the total of the sales inserted into core.sale. changes: by truck and business day.
    what: what its rows are."""

    files: dict[str, int]
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    pence_loaded: int
    changes: list[DayChange] = field(default_factory=list, repr=False)
    what: str = "sales"


def load(
    files: pa.Table,
    sales: pa.Table,
    rejects: pa.Table,
    url: str | None = None,
    *,
    cleaned_under: str | None = None,
    rules: Rulebook | None = None,
) -> Loaded:
    """Commit a cleaned batch of sales files (history files included).

    files: the staged outcome per file (file_outcomes.FILES_SCHEMA). Only files still claimed in the ledger take part,
    so a repeated load changes nothing. Versions that these replace are deleted in the same transaction. At commit the
    database checks for every file that rows and pence reconcile. Raises DimensionsChangedError when the dimensions are
    no longer those of the stamp `cleaned_under`. The rules are kept with the files that they cleaned."""
    ensure_months(sales, url)
    digests = identity.register(files, sales, rejects, url)
    with changing(url) as cursor:
        require_dimensions(cursor, cleaned_under)
        decided = decide(cursor, files, sales, digests)
        sales, rejects = (_of_loaded(table, decided) for table in (sales, rejects))
        existing, deleted = _delete_replaced(cursor, decided)
        carried, kept = active.carry(existing, _successors(decided), deleted, rejects)
        sales = pa.concat_tables([sales, kept]) if kept.num_rows else sales
        outcome = _counted(decided, sales, decisions.without(rejects, kept.to_pylist()))
        if rules:  # before the files are loaded: the database counts a loaded file's rows once per change of its line
            rulesets.note(cursor, rules, outcome.filter(pc.equal(outcome["state"], "loaded"))["file_id"].to_pylist())
        _write_outcomes(cursor, outcome)
        if sales.num_rows:
            add_sales(cursor, sales)
        if rejects.num_rows:
            cursor.copy_in("ops.rejected_row", rejects)
        decisions.write(cursor, carried)
        restatements.record(cursor, sales, deleted, _labels(cursor, decided, sales))
        changes = rollups.update(cursor, sales, deleted)
        identity.forget(cursor, files)
        if sales.num_rows or deleted.num_rows:
            rollups.raise_watermark(cursor)
    return _summary(outcome, changes)


def _of_loaded(table: pa.Table, outcome: pa.Table) -> pa.Table:
    """The rows of those files that are loaded now."""
    files = outcome.filter(pc.equal(outcome["state"], "loaded"))["file_id"].combine_chunks()
    mask = pc.is_in(table["file_id"], value_set=files)
    return table if pc.all(mask, min_count=0).as_py() else table.filter(mask)


def _delete_replaced(cursor: Cursor, decided: pa.Table) -> tuple[list[dict[str, Any]], pa.Table]:
    """Delete the rows of replaced versions; returns people's decisions on their rows, and their sales."""
    rows = [row for row in decided.to_pylist() if row["replaces"]]
    released = [row["file_id"] for row in decided.to_pylist() if row["released"] and row["state"] == "loaded"]
    if released:
        cursor.execute("DELETE FROM ops.rejected_row WHERE file_id = ANY($1)", [released])
    replaced = [row["replaces"] for row in rows]
    existing, deleted = active.active_decisions(cursor, replaced), sales_of(cursor, replaced)
    if rows:
        cursor.temporary_table("newer", pa.Table.from_pylist(rows, schema=_NEWER))
        for statement in _REPLACE:
            cursor.execute(statement)
        reopen_held(cursor, replaced)
    return existing, deleted


def _successors(decided: pa.Table) -> dict[int, int]:
    return {row["replaces"]: row["file_id"] for row in decided.to_pylist() if row["replaces"]}


def _labels(cursor: Cursor, decided: pa.Table, sales: pa.Table) -> dict[int, Label]:
    """Which of these files restate earlier figures, and why."""
    loaded = [row for row in decided.to_pylist() if row["state"] == "loaded"]
    labels = {row["file_id"]: Label("new_version", row["key"]) for row in loaded if row["replaces"]}
    labels |= {row["replaces"]: labels[row["file_id"]] for row in loaded if row["replaces"]}
    labels |= {row["file_id"]: Label("released", row["key"]) for row in loaded if row["released"] or row["all_sales"]}
    return labels | _late(cursor, [row for row in loaded if row["file_id"] not in labels], sales)


def _late(cursor: Cursor, loaded: list[dict[str, Any]], sales: pa.Table) -> dict[int, Label]:
    """Files with sales of days that were over when figures were shown without them."""
    if not loaded or (pc.min(sales["business_date"]).as_py() or date.max) >= today():
        return {}
    cursor.execute(_SHOWN_BEFORE, [[row["file_id"] for row in loaded]])
    shown = {row["discovered_at"]: row["shown_at"] for row in cursor.table().to_pylist()}
    return {
        row["file_id"]: Label("late_file", row["key"], until=business_date(shown_at))
        for row in loaded
        if (shown_at := shown[row["discovered_at"]])
    }


def _counted(outcome: pa.Table, sales: pa.Table, rejects: pa.Table) -> pa.Table:
    """The outcome with figures from the rows themselves: counts, pence, first and last sale, warnings."""
    sold = _by_file(
        sales,
        [("total_pence", "sum"), ("total_pence", "count"), ("sold_at", "min"), ("sold_at", "max"), ("flags", "max")],
    )
    refused = Counter(rejects["file_id"].to_pylist())
    is_unknown = pc.not_equal(pc.bit_wise_and(sales["flags"], FLAGS["unknown_truck"]), 0)
    unknown = _by_file(sales.filter(is_unknown), [("flags", "count")])
    rows = []
    for row in outcome.to_pylist():
        of_file = sold.get(row["file_id"], {})
        rows.append(
            row
            | {
                "rows_read": row["rows_read"] if row["state"] == "loaded" else 0,
                "rows_loaded": of_file.get("total_pence_count", 0),
                "rows_rejected": refused[row["file_id"]],
                "pence_loaded": of_file.get("total_pence_sum", 0),
                "first_sale_at": of_file.get("sold_at_min"),
                "last_sale_at": of_file.get("sold_at_max"),
                "warnings": ["unknown_truck"] if row["file_id"] in unknown else [],
            }
        )
    return pa.Table.from_pylist(rows, schema=_OUTCOME_SCHEMA)


def _by_file(table: pa.Table, aggregates: list[tuple[str, str]]) -> dict[int, dict[str, Any]]:
    grouped = table.group_by("file_id").aggregate(aggregates)
    return {row["file_id"]: row for row in grouped.to_pylist()}


def _write_outcomes(cursor: Cursor, outcome: pa.Table) -> None:
    cursor.temporary_table("outcome", outcome)
    cursor.execute(_OUTCOME)
    cursor.execute("DROP TABLE outcome")


def _summary(outcome: pa.Table, changes: list[DayChange]) -> Loaded:
    def total(name: str) -> int:
        found: int = pc.sum(outcome[name], min_count=0).as_py()
        return found

    states = dict(sorted(Counter(outcome["state"].to_pylist()).items()))
    read, loaded, rejected = map(total, ("rows_read", "rows_loaded", "rows_rejected"))
    return Loaded(states, read, loaded, rejected, total("pence_loaded"), changes)


_UTC = pa.timestamp("us", "UTC")
_NEWER = pa.schema([("truck_id", pa.int32()), ("file_id", pa.int64()), ("replaces", pa.int64())])
_OUTCOME_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("state", pa.string()), ("reason", pa.string()), ("content_sha256", pa.string()),
     ("rejects_digest", pa.string()), ("warnings", pa.list_(pa.string())), ("columns_not_read", pa.list_(pa.string())),
     ("rows_read", pa.int64()), ("rows_loaded", pa.int64()), ("rows_rejected", pa.int64()),
     ("pence_loaded", pa.int64()), ("first_sale_at", _UTC), ("last_sale_at", _UTC), ("superseded_by", pa.int64())]
)  # fmt: skip
