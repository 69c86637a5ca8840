"""What becomes of each file of a batch, decided under lock: load, hold, pass over."""

from typing import Any

import pyarrow as pa

from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.files import identity
from t3lib.warehouse.files.held_duplicates import DuplicateSearch

Row = dict[str, Any]

_UTC = pa.timestamp("us", "UTC")
# One row per file of a batch, as the stage that reads the files states its outcome.
FILES_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("key", pa.string()), ("kind", pa.string()), ("truck_id", pa.int32()),
     ("state", pa.string()), ("reason", pa.string()), ("content_sha256", pa.string()), ("rows_read", pa.int64()),
     ("uploaded_at", _UTC), ("window_from", _UTC), ("window_to", _UTC), ("columns_not_read", pa.list_(pa.string()))]
)  # fmt: skip

OUTCOMES: dict[str, str] = {
    "new": "Seen in the bucket, not yet taken in.",
    "claimed": "Being taken in by a batch.",
    "loaded": "Its rows are sales or rejected rows.",
    "superseded": "A newer version of the same key took its place, or it was uploaded again with the same content.",
    "held_duplicate": "The same sales as another file of the same truck: held until a person releases it.",
    "held_overlap": "Most of its sales or lines, or of another file's, are in both: held until a person releases it.",
    "held_columns": "A column that is not read may say that rows are no sales: held until a person releases it.",
    "held_layout": "A file of settlements/ that fits no layout, or two: held until its layout is there.",
    "held": "Taken out by a person, or a newer version of such a file: held until a person releases it.",
    "unreadable": "It is empty, damaged, or can be read in two ways; nothing of it was loaded.",
    "bad_header": "Its first line does not name the columns that are needed; nothing of it was loaded.",
    "ignored": "Not a file of the feed: its key follows none of the known layouts, or it is a link or a pipe.",
}
# What waits for a person: held by T3 itself, and by people as well; and what else is not loaded.
HELD_BACK = ("held_duplicate", "held_overlap", "held_columns", "held_layout")
HELD = ("held", *HELD_BACK)
REFUSED = ("unreadable", "bad_header")

NOT_LOADED = (*REFUSED, *HELD)

# A later upload of the same content: the loaded row takes its version and etag, which the bucket holds now.
_REUPLOADED = (
    "UPDATE ops.source_file SET version = NULL WHERE file_id = ANY($1)",
    """
    UPDATE ops.source_file AS file SET version = later.version, etag = later.etag, deleted_at = NULL
    FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS later (file_id, version, etag)
    WHERE file.file_id = later.file_id
    """,
)
SAME = "Uploaded again with the same content: the rows of the previous version stay."
_PASSED = """
    UPDATE ops.source_file AS file
    SET state = 'superseded', superseded_by = passed.new, reason = 'A newer version of the same key came.'
    FROM unnest(CAST($1 AS bigint[]), CAST($2 AS bigint[])) AS passed (old, new)
    WHERE file.file_id = passed.old
"""
# Files that are being loaded or decided now are skipped: waiting for them could be a deadlock.
_REOPEN_HELD = """
    UPDATE ops.source_file AS file SET state = 'new', batch_id = NULL, reason = NULL
    WHERE file_id IN (
        SELECT held.file_id FROM ops.source_file AS held
        JOIN ops.source_file AS removed USING (truck_id)
        WHERE removed.file_id = ANY($1) AND held.state IN ('held_duplicate', 'held_overlap')
          AND strpos(held.reason, removed.key) > 0
        FOR UPDATE OF held SKIP LOCKED
    )
"""
_WAITS = " The hold stays with the key: this newer version waits too."
SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("truck_id", pa.int32()), ("state", pa.string()), ("reason", pa.string()),
     ("content_sha256", pa.string()), ("rejects_digest", pa.string()), ("rows_read", pa.int64()),
     ("replaces", pa.int64()), ("superseded_by", pa.int64()), ("key", pa.string()), ("released", pa.bool_()),
     ("all_sales", pa.bool_()), ("discovered_at", pa.timestamp("us", "UTC")),
     ("columns_not_read", pa.list_(pa.string()))]
)  # fmt: skip


def decide(cursor: Cursor, files: pa.Table, sales: pa.Table, digests: dict[int, str]) -> pa.Table:
    """One row per file that is still claimed: its state, the version that it replaces, or why it is not loaded.

    digests: from identity.register, which comes first. Locks the files, the other versions of their keys and the files
    of the same hours that other loads work on, until the transaction ends."""
    staged = {row["file_id"]: row for row in files.to_pylist()}
    locked, under_way = identity.lock(cursor, files)
    current = {row["logical_key"]: row for row in sorted(locked, key=identity.in_order) if _is_current(row)}
    claimed = [row for row in locked if row["state"] == "claimed" and row["file_id"] in staged]
    own = [staged[row["file_id"]] | _known(row) | {"rejects_digest": digests.get(row["file_id"])} for row in claimed]
    search = DuplicateSearch(cursor, own, under_way, sales)
    own.sort(key=lambda row: (row["logical_key"] not in current, row["last_modified"], row["key"], row["file_id"]))
    for row in own:
        if row["state"] in ("loaded", "held_columns"):
            _decide(row, current, search)
    _record_reuploads(cursor, [row for row in own if row["reason"] == SAME])
    _supersede_waiting(cursor, own, locked)
    return pa.Table.from_pylist(own, schema=SCHEMA)


def _is_current(row: Row) -> bool:
    """Whether a version is the current one of its key: loaded, or held by a person."""
    return row["state"] in ("loaded", "held") and not row["is_twin"]


def _known(row: Row) -> Row:
    """What the ledger knows of a claimed file."""
    names = ("released", "all_sales", "may_repeat", "discovered_at", "last_modified", "logical_key", "version", "etag")
    return {name: row[name] for name in names} | {"replaces": None, "superseded_by": None}


def _decide(row: Row, current: dict[str, Row], search: DuplicateSearch) -> None:
    """Write into a row what becomes of it, given the current version of its key; the later upload wins."""
    head = current.get(row["logical_key"])
    if head and _is_after(head, row):
        reason = f"A newer version of the same key {'is held' if head['state'] == 'held' else 'was loaded before'}."
        row |= {"state": "superseded", "reason": reason, "superseded_by": head["file_id"]}
    elif head and head["state"] == "loaded" and all(head[name] == row[name] for name in ("key", "content_sha256")):
        row |= {"state": "superseded", "reason": SAME, "superseded_by": head["file_id"]}
        head["version"] = row["version"]
    elif head and head["state"] == "held" and not row["released"]:
        row |= {"state": "held", "reason": f"{(head['reason'] or '').removesuffix(_WAITS)}{_WAITS}"}
        _replace(row, head, current)
    elif row["state"] == "loaded" and not row["may_repeat"] and (hold := search.hold(row, _loaded_version(head))):
        row["state"], row["reason"] = hold
    elif row["state"] == "loaded":
        if head and "replaces" in head and head["state"] == "loaded":
            search.remove(head)
        _replace(row, head, current)
        search.add(row)


def _is_after(one: Row, other: Row) -> bool:
    return bool(identity.in_order(one) > identity.in_order(other))


def _loaded_version(head: Row | None) -> int | None:
    """The loaded version that a new one would replace."""
    if head is None or head["state"] != "loaded":
        return None
    file_id: int | None = head["replaces"] if "replaces" in head else head["file_id"]
    return file_id


def _replace(row: Row, head: Row | None, current: dict[str, Row]) -> None:
    """Make a version the current one of its key. One of the same batch before it is superseded without being loaded."""
    current[row["logical_key"]] = row
    if head is None:
        return
    if "replaces" in head:
        row["replaces"] = head["replaces"]
        head |= {"state": "superseded", "superseded_by": row["file_id"], "replaces": None}
        head["reason"] = "A newer version of the same key came in the same batch."
    elif head["state"] == "loaded":
        row["replaces"] = head["file_id"]


def _record_reuploads(cursor: Cursor, same: list[Row]) -> None:
    """Give the loaded row the version and etag of the latest upload of the same content."""
    if same:
        latest = {row["superseded_by"]: row for row in sorted(same, key=identity.in_order)}
        versions, etags = [row["version"] for row in latest.values()], [row["etag"] for row in latest.values()]
        cursor.execute(_REUPLOADED[0], [[row["file_id"] for row in same]])
        cursor.execute(_REUPLOADED[1], [list(latest), versions, etags])


def reopen_held(cursor: Cursor, removed: list[int]) -> None:
    """Let files that were held as duplicates of these, which are no longer loaded, be read again."""
    if removed:
        cursor.execute(_REOPEN_HELD, [removed])


def _supersede_waiting(cursor: Cursor, own: list[Row], locked: list[Row]) -> None:
    """Supersede held versions of a key when a newer version is loaded, or held itself."""
    newest = {row["logical_key"]: row for row in own if row["state"] in ("loaded", *HELD) or row["reason"] == SAME}
    waited = [row for row in locked if row["state"] in HELD and row["logical_key"] in newest]
    successors = {key: row["superseded_by"] or row["file_id"] for key, row in newest.items()}
    passed = {row["file_id"]: successors[row["logical_key"]] for row in waited
              if _is_after(newest[row["logical_key"]], row)}  # fmt: skip
    if passed:
        cursor.execute(_PASSED, [list(passed), list(passed.values())])
