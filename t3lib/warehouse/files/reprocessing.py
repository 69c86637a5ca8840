"""Which loaded files are reprocessed: read and cleaned again, while their sales stay visible until the commit."""

from datetime import date
from typing import Any, NamedTuple
from uuid import uuid4

import sqlalchemy as sa

from t3lib.warehouse.db import locks
from t3lib.warehouse.files import audit, batches

REPROCESSED: dict[str, str] = {
    "restated": "Cleaned again; its rows changed.",
    "unchanged": "Cleaned again; every row came out as before.",
    "gone": "The bucket no longer holds this version: its rows stay as they are.",
    "refused": "It can no longer be read as rows: its rows stay as they are.",
    "superseded": "A newer version was loaded meanwhile.",
}
_OF_DAYS = sa.text("""
    SELECT file_id FROM ops.source_file AS file
    WHERE state = 'loaded' AND kind IN ('sales', 'history') AND (
        EXISTS (SELECT FROM core.sale WHERE sale.truck_id = file.truck_id AND sale.file_id = file.file_id
                                        AND sale.business_date BETWEEN :first AND :last)
        OR EXISTS (SELECT FROM ops.rejected_row AS row WHERE row.file_id = file.file_id
                                        AND coalesce(row.business_date, file.batch_date) BETWEEN :first AND :last))
    ORDER BY file_id
""")
_READ_AGAIN = sa.text("""
    UPDATE ops.source_file SET state = 'new', batch_id = NULL, reason = NULL
    WHERE state IN ('unreadable', 'bad_header') AND batch_date BETWEEN :first AND :last
""")
_UNREAD = sa.text("""
    SELECT file_id FROM ops.source_file
    WHERE state IN ('unreadable', 'bad_header') AND batch_date BETWEEN :first AND :last
    ORDER BY file_id
""")
_NOT_LOADED = sa.text("""
    SELECT key, state FROM ops.source_file
    WHERE state NOT IN ('loaded', 'superseded', 'ignored') AND kind IN ('sales', 'history')
      AND batch_date BETWEEN :first AND :last
    ORDER BY key, file_id
""")
_LOADED = """
    SELECT file_id, size FROM ops.source_file AS file
    WHERE file_id = ANY(:files) AND state = 'loaded' AND kind IN ('sales', 'history')
"""
_BY_ID = sa.text(f"{_LOADED} ORDER BY file_id")
_FREE = sa.text(f"""
    {_LOADED}
      AND NOT EXISTS (SELECT FROM ops.again_file WHERE again_file.file_id = file.file_id AND outcome IS NULL)
    ORDER BY file_id
""")
_WAITING = sa.text("""
    SELECT batch_id, batch.state, batch.error, count(*) AS files FROM ops.again_file
    JOIN ops.batch USING (batch_id)
    WHERE file_id = ANY(:files) AND outcome IS NULL
    GROUP BY batch_id, batch.state, batch.error
    ORDER BY batch_id
""")
_BATCH = sa.text("""
    INSERT INTO ops.batch (batch_id, files, bytes, cause, actor, why)
    VALUES (:batch, :files, :bytes, :cause, :actor, :why)
""")
_CLAIM = sa.text("INSERT INTO ops.again_file (batch_id, file_id) SELECT :batch, unnest(CAST(:files AS bigint[]))")
_OUTCOMES = sa.text("""
    SELECT key, truck_id, outcome, again_file.reason FROM ops.again_file
    JOIN ops.source_file USING (file_id)
    WHERE again_file.batch_id = ANY(:batches)
    ORDER BY key
""")


class Waiting(NamedTuple):
    """A batch that is to reprocess some files: its state ('open', or 'failed' with an error), how many of them."""

    batch_id: str
    state: str
    error: str | None
    files: int

    @property
    def sentence(self) -> str:
        """What that means for the figures, and what to do."""
        files = "1 of these files waits" if self.files == 1 else f"{self.files:,} of these files wait"
        if self.state != "failed":
            return f"{files} to be reprocessed in {self.batch_id}; compared is what is loaded until then."
        error = (self.error or "no error was kept").rstrip(".")
        return (
            f"{files} to be reprocessed: {self.batch_id} failed ({error}), so what is loaded is as before. "
            "`t3 ingest` tries again."
        )


def claim_days(db: sa.Connection, first: date, last: date, *, actor: str, why: str, batch_bytes: int) -> list[str]:
    """Claim every loaded file with sales or rejects of these business days; returns the ids of the batches made.

    Files of these days that could not be read become new again. Files that are in such a batch already stay there; one
    that failed gets another attempt, and its id is returned too."""
    audit.write(db, "again", f"{first}..{last}", actor, why)
    db.execute(_READ_AGAIN, {"first": first, "last": last})
    files = of_days(db, first, last)
    failed = [batch.batch_id for batch in waiting(db, files) if batch.state == "failed"]
    made = claim(db, files, cause="again", actor=actor, why=why, batch_bytes=batch_bytes)
    return made + sorted(batches.reopen(db, failed))


def of_days(db: sa.Connection, first: date, last: date) -> list[int]:
    """The ids of the loaded files with sales or rejects of these business days."""
    return list(db.scalars(_OF_DAYS, {"first": first, "last": last}))


def unread(db: sa.Connection, first: date, last: date) -> list[int]:
    """The ids of the files of these days that could not be read as rows."""
    return list(db.scalars(_UNREAD, {"first": first, "last": last}))


def not_loaded(db: sa.Connection, first: date, last: date) -> dict[str, str]:
    """The files of these days that have no loaded rows, by key, each with its state."""
    return {row.key: row.state for row in db.execute(_NOT_LOADED, {"first": first, "last": last})}


def waiting(db: sa.Connection, files: list[int]) -> list[Waiting]:
    """The batches in which any of these files waits to be reprocessed."""
    return [Waiting(*row) for row in db.execute(_WAITING, {"files": files})]


def bounded(db: sa.Connection, files: list[int], batch_bytes: int) -> list[list[int]]:
    """These loaded files in batches as they are reprocessed, also those that wait in such a batch already."""
    loaded = list(db.execute(_BY_ID, {"files": files}))
    return [[row.file_id for row in batch] for batch in batches.bounded(loaded, batch_bytes, batches.BATCH_FILES)]


def claim(db: sa.Connection, files: list[int], *, cause: str, actor: str, why: str, batch_bytes: int) -> list[str]:
    """Put loaded files into batches that reprocess them; returns the ids of the batches made."""
    locks.acquire(db, locks.REPROCESSING)
    made = []
    for batch in batches.bounded(list(db.execute(_FREE, {"files": files})), batch_bytes, batches.BATCH_FILES):
        size = sum(row.size for row in batch)
        made.append(f"again-{batch[0].file_id}-{uuid4().hex[:12]}")
        entry = {"batch": made[-1], "files": len(batch), "bytes": size, "cause": cause, "actor": actor, "why": why}
        db.execute(_BATCH, entry)
        db.execute(_CLAIM, {"batch": made[-1], "files": [row.file_id for row in batch]})
    return made


def outcomes(db: sa.Connection, batch_ids: list[str]) -> list[dict[str, Any]]:
    """What became of each file of such batches: key, truck_id, outcome (null while it waits), reason."""
    return [dict(row) for row in db.execute(_OUTCOMES, {"batches": batch_ids}).mappings()]
