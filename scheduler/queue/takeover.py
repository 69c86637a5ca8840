"""What the queue and the runs say about work under way: what is queued, the runs whose worker is gone."""

from collections.abc import Callable, Collection

import sqlalchemy as sa

from t3lib import warehouse

Fence = Callable[[sa.Connection], None]

_QUEUED = sa.text("SELECT workflow_uuid FROM dbos.workflow_status WHERE workflow_uuid = ANY(:workflows)")
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


def queued(db: sa.Connection, workflow_ids: Collection[str]) -> set[str]:
    """Those of these workflows that the queue knows: they wait, run or have ended."""
    return set(db.scalars(_QUEUED, {"workflows": list(workflow_ids)}))


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
