"""Which files may tell of the same sales as others. Every load registers its files first, so that two loads at the
same moment find each other: the one that locks the files first goes first, and the other decides when it is done."""

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.cursor import Cursor, transaction

_UTC = pa.timestamp("us", "UTC")
_REGISTERED = pa.schema(
    [("file_id", pa.int64()), ("content_sha256", pa.string()), ("rejects_digest", pa.string()),
     ("first_sale_at", _UTC), ("last_sale_at", _UTC)]
)  # fmt: skip
# Locked in the order of the ids, as everywhere, so that no two wait for each other crosswise.
_REGISTER = """
    UPDATE ops.source_file AS file
    SET content_sha256 = mine.content_sha256, rejects_digest = mine.rejects_digest,
        first_sale_at = mine.first_sale_at, last_sale_at = mine.last_sale_at
    FROM (
        SELECT file_id FROM ops.source_file
        WHERE file_id = ANY($1) AND state = 'claimed'
        ORDER BY file_id
        FOR UPDATE
    ) AS waiting
    JOIN registered AS mine USING (file_id)
    WHERE file.file_id = waiting.file_id
"""
# Other versions of the same logical key, and files that are being loaded and may hold the same rows.
_UNDER_WAY = """
    SELECT own.file_id, other.file_id AS other_id, 'key' AS by
    FROM ops.source_file AS own
    JOIN ops.source_file AS other USING (logical_key)
    WHERE own.file_id = ANY($1) AND other.file_id <> own.file_id 
      AND (other.state IN ('claimed', 'loaded') OR other.state LIKE 'held%')
    UNION ALL
    SELECT own.file_id, other.file_id, 'sales'
    FROM ops.source_file AS own
    JOIN ops.source_file AS other USING (truck_id)
    WHERE own.file_id = ANY($1) AND other.file_id <> own.file_id
      AND other.state = 'claimed' AND other.last_sale_at IS NOT NULL
      AND other.last_sale_at >= own.first_sale_at AND other.first_sale_at <= own.last_sale_at
    UNION ALL
    SELECT own.file_id, other.file_id, 'rejects'
    FROM ops.source_file AS own
    JOIN ops.source_file AS other USING (truck_id, rejects_digest)
    WHERE own.file_id = ANY($1) AND other.file_id <> own.file_id AND other.state = 'claimed'
"""
_LOCK = """
    SELECT file_id, key, logical_key, state, reason, last_modified, truck_id, released, discovered_at, is_twin
    FROM ops.source_file
    WHERE file_id = ANY($1)
    ORDER BY file_id
    FOR UPDATE
"""
# Loaded files that hold a sale of the same hours, or the same rejects, or the same bytes. Few files span more than a
# day; the others are found by when they end.
_STANDING = """
    WITH own AS (SELECT * FROM ops.source_file WHERE file_id = ANY($1)),

    found AS (
        SELECT own.file_id, other.file_id AS other_id, 'sales' AS by
        FROM own
        JOIN ops.source_file AS other USING (truck_id)
        WHERE other.state = 'loaded' AND other.last_sale_at >= own.first_sale_at
          AND other.last_sale_at <= own.last_sale_at + interval '1 day' AND other.first_sale_at <= own.last_sale_at
        UNION
        SELECT own.file_id, other.file_id, 'sales'
        FROM own
        JOIN ops.source_file AS other USING (truck_id)
        WHERE other.state = 'loaded' AND other.last_sale_at - other.first_sale_at > interval '1 day'
          AND other.last_sale_at >= own.first_sale_at AND other.first_sale_at <= own.last_sale_at
        UNION
        SELECT own.file_id, other.file_id, 'rejects'
        FROM own
        JOIN ops.source_file AS other USING (truck_id, rejects_digest)
        WHERE other.state = 'loaded'
        UNION
        SELECT own.file_id, other.file_id, 'content'
        FROM own
        JOIN ops.source_file AS other USING (truck_id, content_sha256)
        WHERE other.state = 'loaded' AND other.rows_read > 0
    )

    SELECT found.file_id, other_id, by, other.key, other.logical_key, other.is_twin
    FROM found
    JOIN ops.source_file AS other ON other.file_id = found.other_id
    WHERE other.kind IN ('sales', 'history')
"""


def register(files: pa.Table, sales: pa.Table, rejects: pa.Table, url: str | None = None) -> None:
    """Say in the ledger what the claimed files hold, for other loads to see, in a transaction of its own."""
    sold = sales.group_by("file_id").aggregate([("sold_at", "min"), ("sold_at", "max")]).to_pylist()
    spans = {row["file_id"]: (row["sold_at_min"], row["sold_at_max"]) for row in sold}
    digests = _digests(rejects, list(spans))
    rows = [
        (file["file_id"], file["content_sha256"], digests.get(file["file_id"]),
         *spans.get(file["file_id"], (None, None)))
        for file in files.to_pylist()
    ]  # fmt: skip
    columns = zip(*rows, strict=True) if rows else ([] for _ in _REGISTERED)
    table = pa.table([pa.array(list(c), f.type) for c, f in zip(columns, _REGISTERED, strict=True)], schema=_REGISTERED)
    with transaction(url) as cursor:
        cursor.keep("registered", table)
        cursor.execute(_REGISTER, [table["file_id"].to_pylist()])


def lock(cursor: Cursor, own: list[int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(ledger rows, pairs) of a batch's files and of what else may hold the same rows, locked until the end.

    Waits for loads that are at work on any of these. Pairs: file_id, other_id, by ('key' | 'sales' | 'rejects')."""
    pairs = cursor.execute(_UNDER_WAY, [own]).table().to_pylist()
    cursor.execute(_LOCK, [sorted({*own, *(pair["other_id"] for pair in pairs)})])
    return cursor.table().to_pylist(), pairs


def standing(cursor: Cursor, own: list[int]) -> list[dict[str, Any]]:
    """Pairs of own files with loaded ones: file_id, other_id, by ('sales' | 'rejects' | 'content'), the other's key,
    logical_key and is_twin. Ask when the files are locked."""
    return cursor.execute(_STANDING, [own]).table().to_pylist()


def _digests(rejects: pa.Table, with_sales: list[int]) -> dict[int, str]:
    """Of each file without a sale a digest of its rows, by file_id: of what they say, in whatever order."""
    alone = rejects.filter(pc.invert(pc.is_in(rejects["file_id"], value_set=pa.array(with_sales, pa.int64()))))
    lines: dict[int, list[str]] = {}
    for row in alone.to_pylist():
        at = row["raw_timestamp"] or "" if row["sold_at"] is None else str(int(row["sold_at"].timestamp()))
        line = "\x1f".join([at, row["raw_type"] or "", row["raw_total"] or ""])
        lines.setdefault(row["file_id"], []).append(line)
    return {file: hashlib.sha256("\x1e".join(sorted(said)).encode()).hexdigest() for file, said in lines.items()}
