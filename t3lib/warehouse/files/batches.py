"""Batches: which new files are loaded together, how large that may become, and how a batch ends or is tried again."""

import hashlib
import re
from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from t3lib.business_day import today
from t3lib.problems import RefusedError

BATCH_FILES = 2000
RECENT_DAYS = 2
_PREFIX = {"metadata": "meta", "settlement": "pay"}
BATCH_ID = re.compile(r"(batch|meta|pay|again)-\d+-[0-9a-f]{12}", re.ASCII)

_NEW = sa.text("""
    SELECT file_id, key, etag, size, kind FROM ops.source_file
    WHERE state = 'new' AND batch_id IS NULL
    ORDER BY kind <> 'metadata', kind <> 'history', batch_date DESC, batch_hour DESC, last_modified, file_id
    FOR UPDATE SKIP LOCKED
""")
_OPEN = sa.text("""
    SELECT batch_id, attempt,
           CASE WHEN cause = 'new' AND EXISTS (SELECT FROM ops.source_file AS file
                                               WHERE file.batch_id = batch.batch_id AND kind = 'metadata')
                    THEN 'metadata'
                WHEN cause = 'new' AND EXISTS (SELECT FROM ops.source_file AS file
                                               WHERE file.batch_id = batch.batch_id AND batch_date >= :since)
                    THEN 'recent'
                ELSE 'older' END AS urgency
    FROM ops.batch
    WHERE state = 'open'
    ORDER BY created_at, batch_id
""")
_ANOTHER_ATTEMPT = "state = 'open', attempt = batch.attempt + 1, error = NULL, finished_at = NULL"
_REOPEN = sa.text(f"""
    UPDATE ops.batch SET {_ANOTHER_ATTEMPT}
    WHERE state = 'failed' AND (CAST(:batches AS text[]) IS NULL OR batch_id = ANY(:batches))
    RETURNING batch_id, attempt
""")
_ENTER = sa.text(f"""
    INSERT INTO ops.batch (batch_id, files, bytes) VALUES (:batch, :files, :bytes)
    ON CONFLICT (batch_id) DO UPDATE SET {_ANOTHER_ATTEMPT}
""")
_IS_LOADED = sa.text("""
    SELECT coalesce(bool_and(has_outcome), false)
    FROM (SELECT state NOT IN ('new', 'claimed') AS has_outcome FROM ops.source_file WHERE batch_id = :batch
          UNION ALL
          SELECT outcome IS NOT NULL FROM ops.again_file WHERE batch_id = :batch) AS file
""")


class OpenBatch(NamedTuple):
    """A batch that is not finished; urgency is 'metadata', 'recent' or 'older'."""

    batch_id: str
    attempt: int
    urgency: str


def claim(db: sa.Connection, batch_bytes: int, batch_files: int = BATCH_FILES) -> list[str]:
    """Put the new files into batches bounded in bytes and files; returns the ids of the batches made.

    Metadata goes first and alone: cleaning needs it. Files of providers and banks are batches of their own. The id is
    a digest of the versions, so the same versions are the same batch; if they were released, or are read again, it gets
    another attempt."""
    waiting = db.execute(_NEW).all()
    metadata, statements = ([row for row in waiting if row.kind == kind] for kind in ("metadata", "settlement"))
    batches: list[list[sa.Row[Any]]] = [metadata] if metadata else []
    if not metadata and not _metadata_open(db):
        sales = [row for row in waiting if row.kind != "settlement"]
        batches = [batch for rows in (sales, statements) for batch in bounded(rows, batch_bytes, batch_files)]
    return [_enter(db, batch) for batch in batches]


def open_batches(db: sa.Connection) -> list[OpenBatch]:
    """Every batch whose work is not finished, oldest first."""
    return [OpenBatch(*row) for row in db.execute(_OPEN, {"since": today() - timedelta(days=RECENT_DAYS - 1)})]


def reopen(db: sa.Connection, batch_ids: Collection[str] | None = None) -> dict[str, int]:
    """Give the failed ones of these batches, or all that failed, another attempt; returns its number by batch id."""
    wanted = None if batch_ids is None else list(batch_ids)
    return {row.batch_id: row.attempt for row in db.execute(_REOPEN, {"batches": wanted})}


def is_reprocessing(db: sa.Connection, batch_id: str) -> bool:
    """Whether a batch reprocesses loaded files. Raises RefusedError when there is no such batch."""
    found: bool | None = db.scalar(
        sa.text("SELECT cause <> 'new' FROM ops.batch WHERE batch_id = :batch"), {"batch": batch_id}
    )
    if found is None:
        raise RefusedError(f"There is no batch {batch_id}: leave batch_id empty for a dry run over loaded files.")
    return found


def finish(db: sa.Connection, batch_id: str, error: str | None = None) -> None:
    """Close a batch: done, or failed with its error."""
    db.execute(
        sa.text("UPDATE ops.batch SET state = :state, error = :error, finished_at = now() WHERE batch_id = :batch"),
        {"state": "failed" if error else "done", "error": error, "batch": batch_id},
    )


def is_loaded(db: sa.Connection, batch_id: str) -> bool:
    """Whether the load of a batch was committed: one transaction gives each of its files an outcome, or none."""
    return bool(db.scalar(_IS_LOADED, {"batch": batch_id}))


def bounded(rows: list[sa.Row[Any]], most_bytes: int, most_files: int) -> list[list[sa.Row[Any]]]:
    """Rows with a size, in order, put into batches of at most so many bytes and files.

    The bytes are shared out evenly: a small batch at the end would leave workers idle."""
    batches: list[list[sa.Row[Any]]] = []
    total, passed, size, turn = sum(row.size for row in rows), 0, 0, 0
    share = max(total / max(-(-total // most_bytes), 1), 1)
    for row in rows:
        due = (passed + row.size / 2) // share > turn
        if not batches or due or size + row.size > most_bytes or len(batches[-1]) >= most_files:
            batches.append([])
            size, turn = 0, (passed + row.size / 2) // share
        batches[-1].append(row)
        size, passed = size + row.size, passed + row.size
    return batches


def _metadata_open(db: sa.Connection) -> bool:
    """Whether a metadata batch is queued, running or failed; sales wait for it, since cleaning them needs it."""
    return bool(db.scalar(sa.text("""
        SELECT EXISTS (SELECT FROM ops.source_file JOIN ops.batch USING (batch_id)
                       WHERE kind = 'metadata' AND batch.state <> 'done' AND source_file.state = 'claimed')
    """)))  # fmt: skip


def _enter(db: sa.Connection, batch: list[sa.Row[Any]]) -> str:
    digest = hashlib.sha256("\n".join(sorted(f"{row.key}\t{row.etag}" for row in batch)).encode()).hexdigest()
    batch_id = f"{_PREFIX.get(batch[0].kind, 'batch')}-{batch[0].file_id}-{digest[:12]}"
    db.execute(_ENTER, {"batch": batch_id, "files": len(batch), "bytes": sum(row.size for row in batch)})
    db.execute(
        sa.text("""
            UPDATE ops.source_file SET state = 'claimed', batch_id = :batch, claimed_at = now()
            WHERE file_id = ANY(:files)
        """),
        {"batch": batch_id, "files": [row.file_id for row in batch]},
    )
    return batch_id
