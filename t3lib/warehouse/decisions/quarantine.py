"""Files that a person holds out of the figures or releases, always with a reason."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from t3lib.feed.keys import logical
from t3lib.problems import RefusedError
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.files import audit, identity
from t3lib.warehouse.files.file_outcomes import HELD, reopen_held
from t3lib.warehouse.sales import restatements, rollups
from t3lib.warehouse.sales.change import SALE_SCHEMA, changing, sales_of
from t3lib.warehouse.sales.restatements import Label
from t3lib.warehouse.settlements.lines import COUNT_AGAIN, TABLES

# Every spelling of a key is the same file. The lock waits for a load that works on it, so that the version it leaves
# is the one that is held or released.
_VERSIONS = """
    SELECT file_id, truck_id, key, version, kind, state, is_twin, last_modified, deleted_at
    FROM ops.source_file
    WHERE logical_key = {logical}
    ORDER BY file_id
    FOR UPDATE
"""
_RELEASE = sa.text("""
    UPDATE ops.source_file
    SET state = 'new', is_twin = false, batch_id = NULL, reason = NULL,
        released = released OR state <> 'held_columns', all_sales = all_sales OR state = 'held_columns',
        may_repeat = may_repeat OR state IN ('held_duplicate', 'held_overlap')
    WHERE file_id = :file_id
""")
_HELD_KINDS = ("sales", "history", "settlement")
_NOT_CURRENT = ("superseded", "unreadable", "bad_header", "new", "claimed")
_HOLD = """
    UPDATE ops.source_file SET state = 'held', reason = 'Held by ' || $2 || ': ' || $3, batch_id = NULL
    WHERE file_id = $1
"""
_AUDIT = "INSERT INTO ops.audit (action, subject, actor, why) VALUES ('hold', $1, $2, $3)"


def release(key: str, *, actor: str, why: str, url: str | None = None) -> None:
    """Let a held file in, by any spelling of its key: the next ingest loads its newest version and does not hold it for
    the same reason again. Raises RefusedError.

    Held for its columns: every row is then a sale as written. Held as a duplicate: it may then repeat sales of other
    files. A file that a person held may still be held as a duplicate."""
    with connect(url) as db:
        versions = db.execute(sa.text(_VERSIONS.format(logical=":logical")), {"logical": logical(key)})
        newest = _newest([dict(row) for row in versions.mappings()])
        audit.write(db, "release", newest["key"] if newest else key, actor, why)
        if newest is None or newest["state"] not in HELD:
            raise RefusedError(_why_not(newest, key, "held"))
        if newest["deleted_at"]:
            raise RefusedError(f"{newest['key']} is no longer in the bucket: upload it again, then release it.")
        db.execute(_RELEASE, dict(newest))


def hold(key: str, *, actor: str, why: str, url: str | None = None) -> None:
    """Take a loaded file's sales and rejects, or its lines of a provider or bank, out of the figures until it is
    released; later versions of it wait too. Raises RefusedError."""
    actor, why = audit.named(actor), audit.reasoned(why)
    with changing(url) as cursor:
        versions = cursor.execute(_VERSIONS.format(logical="$1"), [logical(key)]).table().to_pylist()
        loaded = [row for row in versions if row["state"] == "loaded" and row["kind"] in _HELD_KINDS]
        if not loaded:
            raise RefusedError(_why_not(_newest(versions), key, "loaded"))
        # Of two spellings that were loaded before spellings counted as one file: the one that was named.
        found = min(loaded, key=lambda row: (row["key"] != key, row["is_twin"]))
        cursor.execute(_AUDIT, [found["key"], actor, why])
        _hold(cursor, found, actor, why)


def _newest(versions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The current version of a key: held by a person, else loaded or held, else the newest of the others."""
    held = [row for row in versions if row["state"] == "held"]
    candidates = held or [row for row in versions if row["state"] not in _NOT_CURRENT] or list(versions)
    return max(candidates, default=None, key=identity.in_order)


def _hold(cursor: Cursor, file: Mapping[str, Any], actor: str, why: str) -> None:
    if file["kind"] == "settlement":
        for table in TABLES:
            cursor.execute(f"DELETE FROM core.{table} WHERE file_id = $1", [file["file_id"]])
            cursor.execute(COUNT_AGAIN.format(table=table))
        cursor.execute(_HOLD, [file["file_id"], actor, why])
        rollups.raise_watermark(cursor)  # the next matching does without its lines
        return
    deleted, none = sales_of(cursor, [file["file_id"]]), SALE_SCHEMA.empty_table()
    cursor.execute("DELETE FROM core.sale WHERE truck_id = $1 AND file_id = $2",
                   [file["truck_id"], file["file_id"]])  # fmt: skip
    cursor.execute("UPDATE ops.rejected_row SET status = 'superseded' WHERE file_id = $1", [file["file_id"]])
    cursor.execute(_HOLD, [file["file_id"], actor, why])
    reopen_held(cursor, [file["file_id"]])
    restatements.record(cursor, none, deleted, {file["file_id"]: Label("held", file["key"])}, actor=actor, why=why)
    rollups.update(cursor, none, deleted)
    rollups.raise_watermark(cursor)


def _why_not(newest: Mapping[str, Any] | None, key: str, wanted: str) -> str:
    if newest is None:
        return f"No file {key} is in the ledger: `t3 files` lists what is."
    return f"{newest['key']} is {newest['state'].replace('_', ' ')}, not {wanted}: nothing was changed."
