"""The ledger of files: every object version that was ever seen, and what became of it."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from t3lib import feed
from t3lib.landing import Object

if TYPE_CHECKING:
    import pandas as pd

DRY_RUN = ""

# The latest version of each key, and whether another process entered it after this listing began.
_LATEST = sa.text("""
    SELECT DISTINCT ON (key) key, version, etag, last_modified, state, superseded_by,
           discovered_at > coalesce(CAST(:listed_at AS timestamptz), now()) AS is_younger
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
_FILES = """
    SELECT file_id, key, etag, kind, truck_id, batch_date, batch_hour, last_modified, state, all_sales
    FROM ops.source_file
"""
_OUTCOMES = sa.text("""
    SELECT key, state, reason, rows_read, rows_loaded, rows_rejected, pence_loaded FROM ops.source_file
    WHERE file_id = ANY(:files)
    ORDER BY key
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


@dataclass(frozen=True)
class Compared:
    """A listing compared with the ledger: the versions that the ledger lacks, each with its version number.

    `overtaken`: another process entered versions of some of these keys after the listing began, which may be newer."""

    new: list[tuple[Object, int]]
    overtaken: bool


def compare(db: sa.Connection, objects: Iterable[Object], listed_at: datetime | None = None) -> Compared:
    """Which versions of a listing the ledger lacks. `listed_at`: when it began, by the database's clock (None: not
    before this transaction).

    A version is new when it differs from the latest one of its key, even if an earlier one was the same."""
    listed = {o.key: o for o in objects}
    latest = {row.key: row for row in db.execute(_LATEST, {"keys": list(listed), "listed_at": listed_at})}
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


def begin(db: sa.Connection) -> datetime:
    """Begin the transaction, if it has not begun; returns when it did, by the database's clock."""
    found: datetime = db.scalars(sa.text("SELECT now()")).one()
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


def files(db: sa.Connection, batch_id: str = DRY_RUN, limit: int = 20) -> list[File]:
    """The files of a batch; for a dry run (no batch id) the latest loaded ones."""
    if batch_id == DRY_RUN:
        latest = " WHERE state = 'loaded' AND kind IN ('sales', 'history')"
        latest += " ORDER BY finished_at DESC, file_id DESC LIMIT :limit"
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
