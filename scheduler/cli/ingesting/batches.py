"""Ingests that a command starts and waits for."""

import os
from collections.abc import Callable

from scheduler.cli.output import progress
from scheduler.queue import stages, workflows
from scheduler.worker import proof_of_cash
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.warehouse.files import batches

# Batches that one process takes in at a time: one more than cores, since a load also waits for the disk.
AT_ONCE = min(3, 1 + (os.cpu_count() or 1))


def take_in() -> list[str]:
    """Discover and ingest until nothing is new; returns one line per batch that failed."""
    landing = Landing()
    stages.park_stranded()
    with warehouse.connect() as db:
        batches.reopen(db)
    failed: list[str] = []
    seen: set[str] = set()
    with progress("Reading the bucket") as advance:
        while True:
            discover(landing, sweep=True)
            # A batch that is still open after its workflow ended could not record its end: do not wait for it again.
            queued = [workflow for workflow in workflows.enqueue_open_batches() if workflow not in seen]
            if not queued:
                break
            seen.update(queued)
            failed += wait_for_all(queued, advance)
    proof_of_cash.keep()
    with progress("Writing the archive") as advance:
        stages.write_archive(advance)
    return failed


def wait_for_all(queued: list[str], advance: Callable[[int, int], None]) -> list[str]:
    """Wait for these workflows; returns one line per workflow that failed."""
    failed: list[str] = []
    for done, workflow in enumerate(queued):
        advance(done, len(queued))
        failed += _wait_for(workflow)
    return failed


def _wait_for(workflow: str) -> list[str]:
    """Wait for a workflow; returns a line if it failed."""
    try:
        workflows.wait(workflow)
    except Exception as error:
        kind, what = workflow.split(":", 1)
        why = stages.one_line(error)
        return _not_loaded(what.split(":")[0], why) if kind == "ingest" else [f"{what} was not made: {why}"]
    return []


def _not_loaded(batch_id: str, why: str) -> list[str]:
    """A line about a batch whose workflow failed; none if its files were loaded before the error."""
    with warehouse.connect() as db:
        return [] if batches.is_loaded(db, batch_id) else [f"{batch_id} was not loaded: {why}"]
