"""What becomes of each file of a batch, decided under lock: load, hold, pass over."""

from typing import Any

import pyarrow as pa

from t3lib.warehouse.cursor import Cursor

OUTCOMES: dict[str, str] = {
    "new": "Seen in the bucket, not yet taken in.",
    "claimed": "Being taken in by a batch.",
    "loaded": "Its rows are sales, or stand among the rejected rows.",
    "superseded": "A newer version of the same key took its place, or it was uploaded again with the same content.",
    "held_duplicate": "The same content as another file of the same truck: held until a person releases it.",
    "held_columns": "A column that is not read may say that rows are no sales: held until a person releases it.",
    "held": "Taken out by a person: held until a person releases it.",
    "unreadable": "It is empty, damaged, or can be read in two ways; nothing of it was loaded.",
    "bad_header": "Its first line does not name the columns that are needed; nothing of it was loaded.",
    "ignored": "Not a file of the feed: its key follows none of the known layouts, or it is a link or a pipe.",
}
# What waits for a person: held by T3 itself, and by people as well; and what else is not loaded.
HELD_BACK = ("held_duplicate", "held_columns")
HELD = ("held", *HELD_BACK)
REFUSED = ("unreadable", "bad_header")

_LOCKED = """
    SELECT file_id, key, version, etag, state, last_modified, truck_id, released, all_sales, discovered_at,
           content_sha256
    FROM ops.source_file
    WHERE file_id = ANY($1) OR (key = ANY($2) AND state = 'loaded')
    ORDER BY file_id
    FOR UPDATE
"""
# The rows of a loaded version stand for a later upload of the same content, which is then what the bucket holds.
_STANDS = (
    "UPDATE ops.source_file SET version = NULL WHERE file_id = ANY($1)",
    """
    UPDATE ops.source_file AS file SET version = later.version, etag = later.etag, deleted_at = NULL
    FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS later (file_id, version, etag)
    WHERE file.file_id = later.file_id
    """,
)
SAME = "Uploaded again with the same content: the rows of the version before stand."
_SAME_CONTENT = """
    SELECT file_id, key, truck_id, content_sha256
    FROM ops.source_file
    WHERE state = 'loaded' AND rows_read > 0 AND kind <> 'metadata' AND content_sha256 = ANY($1)
"""
SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("truck_id", pa.int32()), ("state", pa.string()), ("reason", pa.string()),
     ("content_sha256", pa.string()), ("rows_read", pa.int64()), ("replaces", pa.int64()),
     ("superseded_by", pa.int64()), ("key", pa.string()), ("released", pa.bool_()), ("all_sales", pa.bool_()),
     ("discovered_at", pa.timestamp("us", "UTC")), ("columns_not_read", pa.list_(pa.string()))]
)  # fmt: skip


def decide(cursor: Cursor, files: pa.Table) -> pa.Table:
    """One row per file that is still claimed: its state, the version that it replaces, or why it is not loaded.

    Locks the files and the loaded versions of their keys until the transaction ends."""
    staged = {row["file_id"]: row for row in files.to_pylist()}
    cursor.execute(_LOCKED, [list(staged), [row["key"] for row in staged.values()]])
    locked = cursor.table().to_pylist()
    loaded = {row["key"]: row for row in locked if row["state"] == "loaded"}
    claimed = [row for row in locked if row["state"] == "claimed" and row["file_id"] in staged]
    read = [row for row in claimed if staged[row["file_id"]]["state"] == "loaded"]
    latest = {row["key"]: row for row in sorted(read, key=lambda row: row["version"])}
    others = {row["file_id"]: (latest if latest.get(row["key"], row) is not row else loaded) for row in claimed}
    decided = [
        _against(staged[row["file_id"]], row, others[row["file_id"]].get(row["key"])) for row in _in_order(claimed)
    ]
    _let_stand(cursor, [row for row in decided if row["reason"] == SAME], {row["file_id"]: row for row in claimed})
    _hold_duplicates(cursor, decided)
    return pa.Table.from_pylist(decided, schema=SCHEMA)


def _in_order(claimed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(claimed, key=lambda row: (row["last_modified"], row["key"], row["file_id"]))


def _against(staged: dict[str, Any], row: dict[str, Any], other: dict[str, Any] | None) -> dict[str, Any]:
    """A file beside another version of its key: the one that the bucket held later stays, whatever its time says."""
    known = {name: row[name] for name in ("released", "all_sales", "discovered_at")}
    decided = {**staged, **known, "replaces": None, "superseded_by": None}
    if staged["state"] not in ("loaded", *HELD_BACK) or other is None:
        return decided
    gone = decided | {"state": "superseded", "superseded_by": other["file_id"]}
    if other["version"] > row["version"]:
        return gone | {"reason": "A newer version of the same key was loaded before."}
    if other["content_sha256"] == staged["content_sha256"]:
        return gone | {"reason": SAME}
    return decided | ({"replaces": other["file_id"]} if staged["state"] == "loaded" else {})


def _let_stand(cursor: Cursor, same: list[dict[str, Any]], claimed: dict[int, dict[str, Any]]) -> None:
    if same:
        cursor.execute(_STANDS[0], [[row["file_id"] for row in same]])
        later = [claimed[row["file_id"]] for row in same]
        versions, etags = [row["version"] for row in later], [row["etag"] for row in later]
        cursor.execute(_STANDS[1], [[row["superseded_by"] for row in same], versions, etags])


def _hold_duplicates(cursor: Cursor, decided: list[dict[str, Any]]) -> None:
    """Hold a file whose truck sent the same content under another key; the first one uploaded is the one to load."""
    if not decided:
        return
    cursor.execute(_SAME_CONTENT, [[row["content_sha256"] or "" for row in decided]])
    going = {row["replaces"] for row in decided}
    seen = {
        (row["truck_id"], row["content_sha256"]): row["key"]
        for row in cursor.table().to_pylist()
        if row["file_id"] not in going
    }
    for row in decided:
        if row["state"] != "loaded" or not row["rows_read"]:
            continue
        first = seen.setdefault((row["truck_id"], row["content_sha256"]), row["key"])
        if first != row["key"] and not row["released"]:
            reason = f"The same content as {first}: held until a person releases it."
            row |= {"state": "held_duplicate", "reason": reason, "replaces": None}
