"""Files that a person takes out of the figures, or lets in: held and released, always with a reason."""

import sqlalchemy as sa

from t3lib.problems import RefusedError
from t3lib.warehouse import audit, restatement, rollups
from t3lib.warehouse.change import SALE_SCHEMA, changing, sales_of
from t3lib.warehouse.connection import connect
from t3lib.warehouse.cursor import Cursor
from t3lib.warehouse.outcomes import HELD
from t3lib.warehouse.restatement import Label

_NEWEST = sa.text("""
    SELECT state FROM ops.source_file WHERE key = :key ORDER BY version DESC NULLS LAST LIMIT 1
""")
_RELEASE = sa.text("""
    UPDATE ops.source_file
    SET state = 'new', batch_id = NULL, reason = NULL,
        released = released OR state <> 'held_columns', all_sales = all_sales OR state = 'held_columns'
    WHERE file_id = (SELECT file_id FROM ops.source_file WHERE key = :key ORDER BY version DESC NULLS LAST LIMIT 1)
      AND state = ANY(:held)
""")
_LOADED = """
    SELECT file_id, truck_id FROM ops.source_file
    WHERE key = $1 AND state = 'loaded' AND kind IN ('sales', 'history')
    FOR UPDATE
"""
_HOLD = """
    UPDATE ops.source_file SET state = 'held', reason = 'Held by ' || $2 || ': ' || $3, batch_id = NULL
    WHERE file_id = $1
"""
_AUDIT = "INSERT INTO ops.audit (action, subject, actor, why) VALUES ('hold', $1, $2, $3)"


def release(key: str, *, actor: str, why: str, url: str | None = None) -> None:
    """Let a held file in; what it was held for is no longer asked by the next ingest. Raises RefusedError.

    Held for its columns: every row of it is a sale as written. Held otherwise: whatever else has the same content."""
    with connect(url) as db:
        audit.write(db, "release", key, actor, why)
        if not db.execute(_RELEASE, {"key": key, "held": list(HELD)}).rowcount:
            raise RefusedError(_why_not(db.scalar(_NEWEST, {"key": key}), key, "held"))


def hold(key: str, *, actor: str, why: str, url: str | None = None) -> None:
    """Take a loaded file's sales and rejects out of the figures until it is released. Raises RefusedError."""
    actor, why = audit.named(actor), audit.reasoned(why)
    with connect(url) as db:
        state = db.scalar(_NEWEST, {"key": key})
    with changing(url) as cursor:
        cursor.execute(_LOADED, [key])
        found = cursor.table().to_pylist()
        if not found:
            raise RefusedError(_why_not(state, key, "loaded"))
        cursor.execute(_AUDIT, [key, actor, why])
        _take_out(cursor, found[0], key, actor, why)


def _take_out(cursor: Cursor, file: dict[str, int], key: str, actor: str, why: str) -> None:
    gone, none = sales_of(cursor, [file["file_id"]]), SALE_SCHEMA.empty_table()
    cursor.execute("DELETE FROM core.sale WHERE truck_id = $1 AND file_id = $2",
                   [file["truck_id"], file["file_id"]])  # fmt: skip
    cursor.execute("UPDATE ops.rejected_row SET status = 'superseded' WHERE file_id = $1", [file["file_id"]])
    cursor.execute(_HOLD, [file["file_id"], actor, why])
    restatement.record(cursor, none, gone, {file["file_id"]: Label("held", key)}, actor=actor, why=why)
    rollups.move(cursor, none, gone)
    rollups.raise_watermark(cursor)


def _why_not(state: str | None, key: str, wanted: str) -> str:
    if state is None:
        return f"No file {key} is in the ledger: `t3 files` lists what is."
    return f"{key} is {state.replace('_', ' ')}, not {wanted}: nothing was changed."
