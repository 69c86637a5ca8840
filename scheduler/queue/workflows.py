"""The durable queue: DBOS in the same Postgres, behind this module.

A workflow's id is its idempotency key: one per batch attempt, one per report, day and edition. Every worker holds a
lease (scheduler/queue/lease.py); the workflows of an executor whose lease is free are taken over. A worker whose
workflow was taken over finds out before its next write: the owner token has changed (fence.py)."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from dbos._error import DBOSException, DBOSMaxStepRetriesExceeded

from scheduler import schedule
from scheduler.queue import fence, pickled_rows, session_limits, stages, step_retries, takeover
from scheduler.queue.lease import Lease
from scheduler.queue.serializer import JsonSerializer, refuse_pickles
from scheduler.runs import papermill_engine
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url
from t3lib.warehouse.files import batches

APPLICATION = "t3-scheduler"
# The same for every release: workflows survive a deployment, since later versions find their steps by name.
VERSION = "1"
QUEUE = "work"
URGENT, SOON, USUAL, BACKFILL = 1, 5, 10, 20
CUT_OFF = "The worker lost the database: another worker may take over this work."
STOPPED = "The worker was stopped before this cell finished: another worker, or its next start, continues the work."

_log = logging.getLogger("t3.worker")
refuse_pickles()
_executor = "none"
_lease: Lease | None = None
# Rows of the queue name their workflow and its steps: a recorded name stays, wherever its function moves and whatever
# the function is called. Work that an earlier version began would otherwise fail at its next step.
_step = partial(
    DBOS.step,
    retries_allowed=True,
    max_attempts=step_retries.ATTEMPTS,
    interval_seconds=1,
    backoff_rate=3,
    should_retry=step_retries.is_temporary,
)


@_step(name="_stage")
def _stage_step(batch_id: str, stage: str) -> None:
    with fence.notebook(QUEUE):
        stages.run_stage(batch_id, stage, workflow_id=DBOS.workflow_id, worker=_executor)


@_step(name="_finish_batch")
def _finish_batch_step(batch_id: str) -> None:
    fence.wait_until_owned()
    stages.finish_batch(batch_id, fence=fence.lock_ownership)


@_step(name="_fail_batch")
def _fail_batch_step(batch_id: str, error: str) -> bool:
    fence.wait_until_owned()
    return stages.fail_batch(batch_id, error, fence=fence.lock_ownership)


@_step(name="_keep_archive")
def _archive_step() -> None:
    stages.write_archive()


@DBOS.workflow(name="archive", max_recovery_attempts=None)
def _archive_workflow() -> None:
    _archive_step()


@DBOS.workflow(name="ingest", max_recovery_attempts=None)
def _ingest_workflow(batch_id: str) -> None:
    try:
        for stage in stages.INGEST:
            _stage_step(batch_id, stage)
    except Exception as error:
        if (cause := _cause(error)) is None:
            raise
        if _fail_batch_step(batch_id, stages.one_line(cause)):
            return  # its load was committed before the error
        raise cause from None
    _finish_batch_step(batch_id)


@_step(name="_run_report")
def _run_report_step(business_date: str, edition: str) -> tuple[str, str]:
    with fence.notebook(QUEUE):
        run = stages.run_report(business_date, edition, workflow_id=DBOS.workflow_id, worker=_executor)
        return run.run_id, str(run.path)


@_step(name="_prepare_mails")
def _prepare_mails_step(run_id: str, path: str, business_date: str, edition: str, ask: bool = False) -> list[int]:
    fence.wait_until_owned()
    return stages.prepare_mails(run_id, path, business_date, edition, ask=ask, fence=fence.lock_ownership)


@_step(name="_fail_report")
def _fail_report_step(business_date: str, edition: str, error: str) -> None:
    fence.wait_until_owned()
    stages.fail_report(business_date, edition, error, fence=fence.lock_ownership)


@DBOS.workflow(name="report", max_recovery_attempts=None)
def _report_workflow(business_date: str, edition: str, ask: bool = False) -> list[int]:
    try:
        run_id, path = _run_report_step(business_date, edition)
        return _prepare_mails_step(run_id, path, business_date, edition, ask)
    except Exception as error:
        if (cause := _cause(error)) is None:
            raise
        _fail_report_step(business_date, edition, stages.one_line(cause))
        raise cause from None


@contextmanager
def working(
    concurrency: int = 1, *, name: str | None = None, lost: Callable[[], object] = lambda: None
) -> Iterator[str]:
    """Take work from the queue until the block ends; yields this process's executor id.

    At the end the running notebook may finish within the schedule's drain_seconds. `lost` is called when another
    process took the lease while the database could not be reached: the block should then end."""
    global _executor, _lease
    url = libpq_url(settings().need("database_url"))
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    lease, finished = Lease(url, name or socket.gethostname().split(".")[0]), threading.Event()
    heartbeats = threading.Thread(
        target=lease.beat_until, args=(finished, lambda: papermill_engine.stop_all(CUT_OFF), lost), daemon=True
    )
    try:
        _executor, _lease = lease.executor, lease
        heartbeats.start()
        with session_limits.watched_limits():
            takeover.mark_lost([_executor])  # of an earlier process with this lease
            with _launched(url, concurrency):
                yield _executor
    finally:
        finished.set()
        heartbeats.join()
        lease.release()
        _lease = None


def enqueue_open_batches() -> list[str]:
    """Enqueue every open batch whose attempt is not queued or running yet; returns the workflows of all open batches.

    Metadata goes first, since cleaning needs it, then recent files, then older and reprocessed ones."""
    with warehouse.connect() as db:
        waiting = {f"ingest:{batch.batch_id}:{batch.attempt}": batch for batch in batches.open_batches(db)}
        queued = takeover.queued(db, waiting)
    priority = {"metadata": SOON, "recent": USUAL, "older": BACKFILL}
    for workflow_id, batch in waiting.items():
        if workflow_id not in queued:
            _enqueue(workflow_id, priority[batch.urgency], _ingest_workflow, batch.batch_id)
    return list(waiting)


def enqueue_report(
    business_date: str, edition: str, *, rerun: str = "", ask: bool = False, priority: int = URGENT
) -> str:
    """Enqueue the report of a day and edition: once, unless `rerun` names another run of it.

    With `ask` a correction waits until an operator releases it."""
    workflow_id = f"report:daily:{business_date}:{edition}" + (f":{rerun}" if rerun else "")
    return _enqueue(workflow_id, priority, _report_workflow, business_date, edition, ask)


def enqueue_archive(moment: datetime) -> str:
    """Enqueue writing the days that are missing in the archive; at most once a minute."""
    return _enqueue(f"archive:{moment:%Y-%m-%dT%H:%M}", USUAL, _archive_workflow)


def wait(workflow_id: str) -> Any:
    """The result of a workflow, whichever worker runs it. Raises what it raised."""
    return DBOS.retrieve_workflow(workflow_id).get_result(polling_interval_sec=0.1)


def take_over() -> int:
    """Put the workflows of dead workers back into the queue; returns how many."""
    return takeover.take_over_dead(_executor, is_stable=lambda: _lease is not None and _lease.is_stable)


def _cause(error: Exception) -> Exception | None:
    """The error of a step's last attempt; None where DBOS itself ended the workflow (cancelled, taken over)."""
    if isinstance(error, DBOSMaxStepRetriesExceeded):
        return error.errors[-1]
    return None if isinstance(error, DBOSException) else error


@contextmanager
def _launched(url: str, concurrency: int) -> Iterator[None]:
    fence.stopping.clear()
    if count := pickled_rows.requeue():
        _log.warning("%s workflows of an earlier version were queued again", count)
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": url,
            "executor_id": _executor,
            "application_version": VERSION,
            "log_level": "CRITICAL",
            "notification_listener_polling_interval_sec": 0.1,
            "serializer": JsonSerializer(),
        }
    )
    DBOS.listen_queues([QUEUE])
    try:
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=concurrency, polling_interval_sec=0.1, on_conflict="always_update"
        )
        yield
    finally:
        _drain(schedule.load().drain_seconds)


def _drain(seconds: float) -> None:
    """Take no new work, let running notebooks finish, stop those that take longer than so many seconds."""
    fence.stopping.set()
    if not papermill_engine.running():
        DBOS.destroy(workflow_completion_timeout_sec=0)
        return
    stop_late = threading.Timer(seconds, papermill_engine.stop_all, [STOPPED])
    stop_late.daemon = True
    stop_late.start()
    DBOS.destroy(workflow_completion_timeout_sec=int(seconds) + 10)
    stop_late.cancel()


def _enqueue(workflow_id: str, priority: int, workflow: Callable[..., Any], *arguments: Any) -> str:
    with SetWorkflowID(workflow_id), SetEnqueueOptions(priority=priority):
        DBOS.enqueue_workflow(QUEUE, workflow, *arguments)
    return workflow_id
