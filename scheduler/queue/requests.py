"""Operator requests that need the queue: backfills, and reruns of failed batches and reports."""

from datetime import date

import sqlalchemy as sa

from scheduler import schedule
from scheduler.queue import workflows
from scheduler.queue.backfill import Backfill
from t3lib import operator_requests
from t3lib.editions import edition
from t3lib.operator_requests import Request
from t3lib.problems import RefusedError
from t3lib.warehouse.files import batches


def carry_out() -> int:
    """Carry out the operators' requests; returns how many ended. Within `workflows.working()`."""
    return operator_requests.carry_out(operator_requests.ACTIONS | {"rerun": _rerun, "backfill": _backfill})


def _rerun(db: sa.Connection, request: Request) -> str:
    """Rerun a batch (the next discovery queues its new attempt) or a report (its id names the request: queued once)."""
    given = request.parameters
    if "batch" in given:
        return f"Queued: attempt {_reopen(db, given['batch'])}."
    workflows.enqueue_report(given["day"], edition(given["edition"]).name, rerun=f"request-{request.request_id}")
    return "Queued: its mails are sent once it is made."


def _reopen(db: sa.Connection, batch_id: str) -> int:
    """The number of a failed batch's new attempt. Raises RefusedError when it did not fail."""
    if not (attempts := batches.reopen(db, [batch_id])):
        raise RefusedError(f"There is no failed batch {batch_id}: it is running, it is done, or it does not exist.")
    return attempts[batch_id]


def _backfill(db: sa.Connection, request: Request) -> str:
    given = request.parameters
    first, last = (date.fromisoformat(given[name]) for name in ("first", "last"))
    editions = schedule.load().daily if "reports" in given else ()
    wanted = Backfill(first, last, given["mode"], editions)
    days = wanted.plan()
    if not days:
        return "Nothing to catch up on."
    wanted.start(request.asked_by)
    wanted.start_reports()
    counts = {
        "files to load": sum(day.missing for day in days),
        "files that failed": sum(day.failed for day in days),
        "files to reprocess": sum(day.reprocess for day in days),
        "reports": sum(len(day.reports) for day in days),
    }
    return f"Queued: {', '.join(f'{count:,} {what}' for what, count in counts.items() if count)}."
