"""Which files may hold the same sales as others. Every load registers its files first, so that two loads at the same
moment find each other: the one that locks the files first goes first, and the other decides when it is done."""

import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.feed.keys import logical
from t3lib.warehouse.db.cursor import Cursor, transaction

_UTC = pa.timestamp("us", "UTC")
_REGISTERED = pa.schema(
    [("file_id", pa.int64()), ("truck_id", pa.int32()), ("first_sale_at", _UTC), ("last_sale_at", _UTC),
     ("rejects_digest", pa.string())]
)  # fmt: skip
_FORGET = "DELETE FROM ops.registered_file WHERE file_id = ANY($1)"
# Files that are being loaded and may hold the same rows.
_UNDER_WAY = """
    SELECT own.file_id, other.file_id AS other_id,
           CASE WHEN own.rejects_digest IS NULL THEN 'sales' ELSE 'rejects' END AS by
    FROM ops.registered_file AS own
    JOIN ops.registered_file AS other USING (truck_id)
    WHERE own.file_id = ANY($1) AND other.file_id <> own.file_id
      AND (other.last_sale_at >= own.first_sale_at AND other.first_sale_at <= own.last_sale_at
           OR other.rejects_digest = own.rejects_digest)
"""
_VERSIONS = """
    SELECT file_id FROM ops.source_file
    WHERE logical_key = ANY($1) AND (state IN ('claimed', 'loaded') OR state LIKE 'held%')
"""
_LOCK = """
    SELECT file_id, key, logical_key, version, etag, state, reason, last_modified, truck_id, released, all_sales,
           may_repeat, discovered_at, is_twin, content_sha256
    FROM ops.source_file
    WHERE file_id = ANY($1)
    ORDER BY file_id
    FOR UPDATE
"""
# Loaded files that hold a sale of the same hours, or the same rejects, or the same bytes. Most files span
# at most a day and are found by when they end.
_OTHER = "other.file_id AS other_id, other.key, other.logical_key, other.is_twin"
_LOADED_PAIRS = f"""
    WITH own AS (
        SELECT registered_file.*, CAST(content AS text) AS content_sha256
        FROM ops.registered_file
        JOIN unnest(CAST($1 AS bigint[]), CAST($2 AS text[])) AS read (file_id, content) USING (file_id)
    )

    SELECT own.file_id, 'sales' AS by, {_OTHER}
    FROM own
    JOIN ops.source_file AS other USING (truck_id)
    WHERE other.state = 'loaded' AND other.last_sale_at >= own.first_sale_at
      AND other.last_sale_at <= own.last_sale_at + interval '1 day' AND other.first_sale_at <= own.last_sale_at
      AND other.last_sale_at - other.first_sale_at <= interval '1 day'
    UNION ALL
    SELECT own.file_id, 'sales', {_OTHER}
    FROM own
    JOIN ops.source_file AS other USING (truck_id)
    WHERE other.state = 'loaded' AND other.last_sale_at - other.first_sale_at > interval '1 day'
      AND other.last_sale_at >= own.first_sale_at AND other.first_sale_at <= own.last_sale_at
    UNION ALL
    SELECT own.file_id, 'rejects', {_OTHER}
    FROM own
    JOIN ops.source_file AS other USING (truck_id, rejects_digest)
    WHERE other.state = 'loaded'
    UNION ALL
    SELECT own.file_id, 'content', {_OTHER}
    FROM own
    JOIN ops.source_file AS other USING (truck_id, content_sha256)
    WHERE other.state = 'loaded' AND other.rows_read > 0
"""


@functools.cmp_to_key
def in_order(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Sorts ledger rows of a logical key, the latest last: by version within a key, whatever the upload times are, and
    by upload time between two spellings."""
    same = one["key"] == other["key"] and one["version"] is not None and other["version"] is not None
    names = ("version",) if same else ("last_modified", "file_id")
    mine, others = (tuple(row[name] for name in names) for row in (one, other))
    return (mine > others) - (mine < others)


def register(files: pa.Table, sales: pa.Table, rejects: pa.Table, url: str | None = None) -> dict[int, str]:
    """Enter which hours the files of a batch cover, for other loads to see, in a transaction of its own; `forget` them
    when they are loaded. Returns the digests of files without a sale, by file_id."""
    sold = sales.group_by("file_id").aggregate([("sold_at", "min"), ("sold_at", "max")]).to_pylist()
    spans = {row["file_id"]: (row["sold_at_min"], row["sold_at_max"]) for row in sold}
    digests = _digests(rejects, list(spans))
    rows = [
        (file_id, truck_id, *spans.get(file_id, (None, None)), digests.get(file_id))
        for file_id, truck_id in zip(files["file_id"].to_pylist(), files["truck_id"].to_pylist(), strict=True)
        if file_id in spans or file_id in digests
    ]
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [() for _ in _REGISTERED]
    table = pa.table([pa.array(list(c), f.type) for c, f in zip(columns, _REGISTERED, strict=True)], schema=_REGISTERED)
    with transaction(url) as cursor:
        forget(cursor, files)
        cursor.copy_in("ops.registered_file", table)
    return digests


def forget(cursor: Cursor, files: pa.Table) -> None:
    """Delete what was registered: now the ledger itself says what is loaded."""
    cursor.execute(_FORGET, [files["file_id"].to_pylist()])


def lock(cursor: Cursor, files: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(ledger rows, pairs) of a batch's files, of the other versions of their keys and of the files that other loads
    work on, locked until the transaction ends. Waits for loads that work on any of these.

    Pairs, of registered files: file_id, other_id, by ('sales' | 'rejects')."""
    own, keys = files["file_id"].to_pylist(), [logical(key) for key in files["key"].to_pylist()]
    versions = cursor.execute(_VERSIONS, [keys]).table()["file_id"].to_pylist()
    pairs = cursor.execute(_UNDER_WAY, [own]).table().to_pylist()
    cursor.execute(_LOCK, [sorted({*own, *versions, *(pair["other_id"] for pair in pairs)})])
    return cursor.table().to_pylist(), pairs


def loaded_pairs(cursor: Cursor, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pairs of own files with loaded ones: file_id, by ('sales' | 'rejects' | 'content'), other_id, and the other's
    key, logical_key and is_twin. Call it when the files are locked."""
    named = [[file[name] for file in files] for name in ("file_id", "content_sha256")]
    pairs: list[dict[str, Any]] = cursor.execute(_LOADED_PAIRS, named).table().to_pylist()
    return pairs


def _digests(rejects: pa.Table, with_sales: list[int]) -> dict[int, str]:
    """A digest of the rows of each file without a sale, by file_id: of their content, in any order."""
    alone = rejects.filter(pc.invert(pc.is_in(rejects["file_id"], value_set=pa.array(with_sales, pa.int64()))))
    lines: dict[int, list[str]] = {}
    for row in alone.to_pylist():
        at = row["raw_timestamp"] or "" if row["sold_at"] is None else str(int(row["sold_at"].timestamp()))
        unsplit = [row["raw_line"]] if row["raw_line"] else []
        line = "\x1f".join([at, row["raw_type"] or "", row["raw_total"] or "", *unsplit])
        lines.setdefault(row["file_id"], []).append(line)
    return {file: hashlib.sha256("\x1e".join(sorted(said)).encode()).hexdigest() for file, said in lines.items()}
