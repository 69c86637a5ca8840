"""What the ledger and the runs say about work under way: the batches that wait, the runs whose worker is gone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.business_day import today

RECENT_DAYS = 2

Fence = Callable[[sa.Connection], None]

_OPEN = sa.text("""
    SELECT batch.batch_id, batch.attempt,
           CASE WHEN cause = 'new' AND EXISTS (SELECT FROM ops.source_file AS file
                                               WHERE file.batch_id = batch.batch_id AND kind = 'metadata')
                    THEN 'metadata'
                WHEN cause = 'new' AND EXISTS (SELECT FROM ops.source_file AS file
                                               WHERE file.batch_id = batch.batch_id AND batch_date >= :since)
                    THEN 'recent'
                ELSE 'older' END AS urgency,
           EXISTS (SELECT FROM dbos.workflow_status
                   WHERE workflow_uuid = 'ingest:' || batch.batch_id || ':' || batch.attempt) AS is_queued
    FROM ops.batch
    WHERE state = 'open'
    ORDER BY created_at, batch_id
""")
_LOST = sa.text("""
    UPDATE ops.run
    SET state = 'lost', error = 'The worker ended in this notebook.', finished_at = now(),
        seconds = extract(epoch FROM now() - started_at)
    WHERE state = 'running' AND worker = ANY(:workers)
""")
_AT_WORK = sa.text("""
    SELECT DISTINCT worker FROM ops.run
    WHERE state = 'running' AND worker IS NOT NULL AND started_at > now() - interval '2 days'
""")
# Its workflow ended and its own end was never written: the database was away for longer than the retries.
_STRANDED = sa.text("""
    SELECT batch_id FROM ops.batch
    JOIN dbos.workflow_status ON workflow_uuid = 'ingest:' || batch_id || ':' || attempt
    WHERE batch.state = 'open' AND status NOT IN ('PENDING', 'ENQUEUED', 'DELAYED')
      AND updated_at < 1000 * extract(epoch FROM now() - interval '30 seconds')
""")
_DEATHS = sa.text("SELECT count(*) FROM ops.run WHERE workflow_id = :workflow AND state = 'lost'")


class PoisonError(Exception):
    """A piece of work in which too many workers died."""


@dataclass(frozen=True)
class OpenBatch:
    """A batch that is not finished; urgency is 'metadata', 'recent' or 'older'."""

    batch_id: str
    attempt: int
    urgency: str
    is_queued: bool

    @property
    def workflow_id(self) -> str:
        """One per attempt at the batch."""
        return f"ingest:{self.batch_id}:{self.attempt}"


def open_batches(db: sa.Connection) -> list[OpenBatch]:
    """Every batch whose work is not finished, oldest first."""
    return [OpenBatch(*row) for row in db.execute(_OPEN, {"since": today() - timedelta(days=RECENT_DAYS - 1)})]


def stranded_batches() -> list[str]:
    """Open batches that nothing works on any more."""
    with warehouse.connect() as db:
        return list(db.scalars(_STRANDED))


def workers_at_work() -> set[str]:
    """The executor ids that runs claim to be running under."""
    with warehouse.connect() as db:
        return set(db.scalars(_AT_WORK))


def mark_lost(workers: list[str]) -> int:
    """Say of the running runs of dead workers that they are lost; returns how many there were."""
    with warehouse.connect() as db:
        if not db.scalar(sa.text("SELECT EXISTS (SELECT FROM ops.run WHERE state = 'running' AND worker = ANY(:w))"),
                         {"w": workers}):  # fmt: skip
            return 0
        return db.execute(_LOST, {"workers": workers}).rowcount


def refuse_poison(workflow_id: str | None, most: int) -> None:
    """Raise PoisonError when so many workers died in this workflow that another would only follow them."""
    with warehouse.connect() as db:
        deaths = db.scalar(_DEATHS, {"workflow": workflow_id}) if workflow_id else 0
    if deaths >= most:
        raise PoisonError(f"{deaths} workers died in it, so it is not tried again.")
