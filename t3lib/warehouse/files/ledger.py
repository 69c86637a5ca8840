"""The ledger of files: every object version that was ever seen, and what became of it."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from t3lib import feed
from t3lib.business_day import today
from t3lib.landing import Object
from t3lib.problems import RefusedError

if TYPE_CHECKING:
    import pandas as pd

DRY_RUN = ""
BATCH_FILES = 2000
RECENT_DAYS = 2
BATCH_ID = re.compile(r"(batch|meta|again)-\d+-[0-9a-f]{12}", re.ASCII)

# The latest version of each key, and whether another process entered it after this listing began.
_LATEST = sa.text("""
    SELECT DISTINCT ON (key) key, version, etag, last_modified, state, superseded_by,
           discovered_at > now() - make_interval(secs => :seconds) AS is_younger
    FROM ops.source_file
    WHERE key = ANY(:keys) AND version IS NOT NULL
    ORDER BY key, version DESC
""")
_RECORD = sa.text("""
    INSERT INTO ops.source_file (key, version, etag, size, last_modified, kind, truck_id, suffix, batch_date,
                                 batch_hour, state, reason, finished_at)
    SELECT key, version, etag, size, last_modified, kind, truck_id, suffix, batch_date, batch_hour, state, reason,
           CASE WHEN state = 'ignored' THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS seen
         (key text, version integer, etag text, size bigint, last_modified timestamptz, kind text, truck_id integer,
          suffix text, batch_date date, batch_hour smallint, state text, reason text)
    ORDER BY key
    ON CONFLICT (key, version) DO NOTHING
""")
_NEW = sa.text("""
    SELECT file_id, key, etag, size, kind FROM ops.source_file
    WHERE state = 'new' AND batch_id IS NULL
    ORDER BY kind <> 'metadata', kind <> 'history', batch_date DESC, batch_hour DESC, last_modified, file_id
    FOR UPDATE SKIP LOCKED
""")
_FILES = """
    SELECT file_id, key, etag, kind, truck_id, batch_date, batch_hour, last_modified, state, all_sales
    FROM ops.source_file
"""
_OUTCOMES = sa.text("""
    SELECT key, state, reason, rows_read, rows_loaded, rows_rejected, pence_loaded FROM ops.source_file
    WHERE file_id = ANY(:files)
    ORDER BY key
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
_OF_BATCH = """
    WHERE file_id IN (SELECT file_id FROM ops.source_file WHERE batch_id = :batch
                      UNION ALL
                      SELECT file_id FROM ops.again_file WHERE batch_id = :batch)
    ORDER BY file_id
"""


@dataclass(frozen=True)
class File:
    """One object version of a batch."""

    file_id: int
    key: str
    etag: str
    kind: str
    truck_id: int | None
    batch_date: date | None
    batch_hour: int | None
    last_modified: datetime
    state: str
    all_sales: bool = False  # a person said so, where a column that is not read leaves a doubt


class OpenBatch(NamedTuple):
    """A batch that is not finished; urgency is 'metadata', 'recent' or 'older'."""

    batch_id: str
    attempt: int
    urgency: str


@dataclass(frozen=True)
class Compared:
    """A listing compared with the ledger: the versions that the ledger lacks, each with its version number.

    `overtaken`: another process entered versions of some of these keys after the listing began, which may be newer."""

    new: list[tuple[Object, int]]
    overtaken: bool


def compare(db: sa.Connection, objects: Iterable[Object], seconds: float = 0) -> Compared:
    """Which versions of a listing that began so many seconds ago the ledger lacks.

    A version is new when it differs from the latest one of its key, even if an earlier one was the same."""
    listed = {o.key: o for o in objects}
    latest = {row.key: row for row in db.execute(_LATEST, {"keys": list(listed), "seconds": seconds})}
    new = [o for o in listed.values() if o.key not in latest or _differs(o, latest[o.key])]
    sure = [o for o in new if o.key not in latest or not latest[o.key].is_younger]
    numbers = {key: row.version for key, row in latest.items()}
    return Compared([(o, numbers.get(o.key, 0) + 1) for o in sure], len(sure) < len(new))


def enter(db: sa.Connection, new: Sequence[tuple[Object, int]]) -> int:
    """Enter new versions; returns how many another process had not entered before."""
    if not new:
        return 0
    return db.execute(_RECORD, {"rows": json.dumps([_row(o, number) for o, number in new], default=str)}).rowcount


def record(db: sa.Connection, objects: Iterable[Object]) -> int:
    """Enter the object versions of a listing that the ledger lacks; returns how many were new."""
    return enter(db, compare(db, objects).new)


def moment(db: sa.Connection, seconds: float) -> datetime:
    """So many seconds before this transaction, by the database's clock."""
    found: datetime = db.scalars(sa.text("SELECT now() - make_interval(secs => :seconds)"), {"seconds": seconds}).one()
    return found


def mark_deleted(db: sa.Connection, listed: Collection[str], listed_at: datetime) -> tuple[int, int]:
    """Mark the loaded and held files whose keys a listing of the whole bucket lacks, and unmark those that are back.

    Files seen after the listing began are left alone. So are all files when the listing has none of the loaded keys:
    then it is a wrong or empty listing, not the deletion of every file. Returns how many were marked and unmarked."""
    loaded = db.execute(
        sa.text("""
            SELECT file_id, key, deleted_at FROM ops.source_file
            WHERE (state = 'loaded' OR state LIKE 'held%') AND discovered_at < :at
        """),
        {"at": listed_at},
    ).all()
    present = [row for row in loaded if row.key in listed]
    deleted = [row.file_id for row in loaded if row.key not in listed and not row.deleted_at] if present else []
    restored = [row.file_id for row in present if row.deleted_at]
    for files, moment in ((deleted, listed_at), (restored, None)):
        if files:
            db.execute(
                sa.text("UPDATE ops.source_file SET deleted_at = :moment WHERE file_id = ANY(:files)"),
                {"moment": moment, "files": files},
            )
    return len(deleted), len(restored)


def claim(db: sa.Connection, batch_bytes: int, batch_files: int = BATCH_FILES) -> list[str]:
    """Put the new files into batches bounded in bytes and files; returns the ids of the batches made.

    Metadata goes first and alone: cleaning needs it. The id is a digest of the versions, so the same versions are the
    same batch; if they were released, or are read again, it gets another attempt."""
    waiting = db.execute(_NEW).all()
    metadata = [row for row in waiting if row.kind == "metadata"]
    batches: list[list[sa.Row[Any]]] = [metadata] if metadata else []
    if not metadata and not _metadata_open(db):
        batches = bounded([row for row in waiting if row.kind != "metadata"], batch_bytes, batch_files)
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


def files(db: sa.Connection, batch_id: str = DRY_RUN, limit: int = 20) -> list[File]:
    """The files of a batch; for a dry run (no batch id) the latest loaded ones."""
    if batch_id == DRY_RUN:
        latest = " WHERE state = 'loaded' AND kind <> 'metadata' ORDER BY finished_at DESC, file_id DESC LIMIT :limit"
        found = db.execute(sa.text(_FILES + latest), {"limit": limit})
    else:
        found = db.execute(sa.text(_FILES + _OF_BATCH), {"batch": batch_id})
    return [File(*row) for row in found]


def by_id(db: sa.Connection, file_ids: Collection[int]) -> list[File]:
    """These files, by id."""
    query = sa.text(_FILES + " WHERE file_id = ANY(:files) ORDER BY file_id")
    return [File(*row) for row in db.execute(query, {"files": list(file_ids)})]


def outcomes(db: sa.Connection, file_ids: Collection[int]) -> "pd.DataFrame":
    """One row per file: what became of it, its rows and its pence. At commit the database compared these figures of
    loaded files with the rows themselves; `t3 doctor` compares them again."""
    import pandas as pd  # half a second that most who use the ledger need not wait for

    return pd.read_sql(_OUTCOMES, db, params={"files": list(file_ids)})


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


def _differs(o: Object, latest: sa.Row[Any]) -> bool:
    """Whether an object is another version than the latest of its key.

    The same etag is the same content, so uploading it again changes nothing, with two exceptions: content that
    disappeared before it was read, and content that could not be read, are tried when they are uploaded again."""
    never_read = latest.state == "superseded" and latest.superseded_by is None
    if o.etag != latest.etag or never_read:
        return True
    # A version that another spelling of its key replaced counts from its next upload on.
    counts = latest.state not in ("unreadable", "bad_header", "superseded")
    return not counts and o.last_modified != latest.last_modified


def _row(o: Object, version: int) -> dict[str, object]:
    key = feed.Key("other", reason=o.ignored) if o.ignored else feed.parse(o.key)
    state = "ignored" if key.kind == "other" else "new"
    seen = {"key": o.key, "version": version, "etag": o.etag, "size": o.size, "last_modified": o.last_modified}
    return vars(key) | seen | {"state": state}


def _metadata_open(db: sa.Connection) -> bool:
    """Whether a metadata batch is queued, running or failed; sales wait for it, since cleaning them needs it."""
    return bool(db.scalar(sa.text("""
        SELECT EXISTS (SELECT FROM ops.source_file JOIN ops.batch USING (batch_id)
                       WHERE kind = 'metadata' AND batch.state <> 'done' AND source_file.state = 'claimed')
    """)))  # fmt: skip


def _enter(db: sa.Connection, batch: list[sa.Row[Any]]) -> str:
    digest = hashlib.sha256("\n".join(sorted(f"{row.key}\t{row.etag}" for row in batch)).encode()).hexdigest()
    batch_id = f"{'meta' if batch[0].kind == 'metadata' else 'batch'}-{batch[0].file_id}-{digest[:12]}"
    db.execute(_ENTER, {"batch": batch_id, "files": len(batch), "bytes": sum(row.size for row in batch)})
    db.execute(
        sa.text("""
            UPDATE ops.source_file SET state = 'claimed', batch_id = :batch, claimed_at = now()
            WHERE file_id = ANY(:files)
        """),
        {"batch": batch_id, "files": [row.file_id for row in batch]},
    )
    return batch_id
