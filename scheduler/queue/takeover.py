"""Takeover of dead workers: their workflows go back into the queue, their runs are marked lost. Also which work is
queued, and which is refused because too many workers died in it.

How soon: a dead worker's lease ends within ten seconds (lease.py), and free leases are looked for as often as
[takeover] of schedule.toml says."""

from collections.abc import Callable, Collection

import sqlalchemy as sa
from dbos import DBOS

from scheduler.queue.lease import executors
from t3lib import warehouse
from t3lib.warehouse.db import locks

Fence = Callable[[sa.Connection], None]

_QUEUED = sa.text("SELECT workflow_uuid FROM dbos.workflow_status WHERE workflow_uuid = ANY(:workflows)")
_LOST = sa.text("""
    UPDATE ops.run
    SET state = 'lost', error = 'The worker died in this notebook.', finished_at = now(),
        seconds = extract(epoch FROM now() - started_at)
    WHERE state = 'running' AND worker = ANY(:workers)
""")
_BUSY_WORKERS = sa.text("""
    SELECT DISTINCT worker FROM ops.run
    WHERE state = 'running' AND worker IS NOT NULL AND started_at > now() - interval '2 days'
""")
# The workflow ended but the batch is still open: the database could not be reached for longer than the retries last.
_STRANDED = sa.text("""
    SELECT batch_id FROM ops.batch
    JOIN dbos.workflow_status ON workflow_uuid = 'ingest:' || batch_id || ':' || attempt
    WHERE batch.state = 'open' AND status NOT IN ('PENDING', 'ENQUEUED', 'DELAYED')
      AND updated_at < 1000 * extract(epoch FROM now() - interval '30 seconds')
""")
_DEATHS = sa.text("SELECT count(*) FROM ops.run WHERE workflow_id = :workflow AND state = 'lost'")


class PoisonError(Exception):
    """A workflow in which too many workers died."""


def queued(db: sa.Connection, workflow_ids: Collection[str]) -> set[str]:
    """Which of these workflows the queue has, whatever their state."""
    return set(db.scalars(_QUEUED, {"workflows": list(workflow_ids)}))


def take_over_dead(executor: str, is_stable: Callable[[], bool]) -> int:
    """Put the workflows of dead workers back into the queue; returns how many. `executor` is this worker's own id.

    A worker without a lease is dead, and loses only the workflows that it still owns. A worker whose own lease is gone
    or not yet stable takes nothing over: after a restart of the database, live workers may not hold theirs yet."""
    found = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    owners = {workflow.executor_id for workflow in found if workflow.executor_id}
    dead = sorted(owner for owner in (owners | workers_at_work()) - {executor} if not _is_alive(owner))
    # Checked last, so that a restart during the checks above is noticed too.
    if not dead or not _is_alive(executor) or not is_stable():
        return 0
    mark_lost(dead)
    DBOS._recover_pending_workflows(dead)
    return sum(workflow.executor_id in dead for workflow in found)


def stranded_batches() -> list[str]:
    """Open batches whose workflow has ended."""
    with warehouse.connect() as db:
        return list(db.scalars(_STRANDED))


def workers_at_work() -> set[str]:
    """The executor ids of the runs that are marked as running."""
    with warehouse.connect() as db:
        return set(db.scalars(_BUSY_WORKERS))


def mark_lost(workers: list[str]) -> int:
    """Mark the running runs of dead workers as lost; returns how many there were."""
    with warehouse.connect() as db:
        if not db.scalar(sa.text("SELECT EXISTS (SELECT FROM ops.run WHERE state = 'running' AND worker = ANY(:w))"),
                         {"w": workers}):  # fmt: skip
            return 0
        return db.execute(_LOST, {"workers": workers}).rowcount


def refuse_poison(workflow_id: str | None, most: int) -> None:
    """Raise PoisonError when `most` workers or more died in this workflow."""
    with warehouse.connect() as db:
        deaths = db.scalar(_DEATHS, {"workflow": workflow_id}) if workflow_id else 0
    if deaths >= most:
        raise PoisonError(f"{deaths} workers died in this workflow, so it is not retried.")


def _is_alive(executor: str) -> bool:
    """Whether a process holds an executor's lease."""
    with warehouse.connect() as db:
        return executor in executors(locks.leases(db))
