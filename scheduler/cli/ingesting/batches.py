"""Batches taken in and waited for by a command."""

import os
from collections.abc import Callable

from scheduler.cli.output import progress
from scheduler.queue import stages
from scheduler.queue import workflows as queue
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.warehouse.files import ledger

# Batches that one process takes in at a time, one more than cores: a load also waits for the disk.
AT_ONCE = min(3, 1 + (os.cpu_count() or 1))


def take_in() -> list[str]:
    """Discover and ingest until nothing is new; returns one line per batch that failed."""
    landing = Landing()
    stages.park_stranded()
    with warehouse.connect() as db:
        ledger.reopen(db)
    failed: list[str] = []
    seen: set[str] = set()
    with progress("Reading the bucket") as advance:
        while True:
            discover(landing, sweep=True)
            # An attempt that ended and is still open could not write its end: waiting for it again gives the same.
            workflows = [workflow for workflow in queue.enqueue_open_batches() if workflow not in seen]
            if not workflows:
                break
            seen.update(workflows)
            failed += see_all_through(workflows, advance)
    with progress("Writing the archive") as advance:
        stages.write_archive(advance)
    return failed


def see_all_through(workflows: list[str], advance: Callable[[int, int], None]) -> list[str]:
    """Wait for each of these workflows; returns one line per one that failed."""
    failed: list[str] = []
    for done, workflow in enumerate(workflows):
        advance(done, len(workflows))
        failed += _see_through(workflow)
    return failed


def _see_through(workflow: str) -> list[str]:
    """Wait for a workflow; one line when it failed."""
    try:
        queue.wait(workflow)
    except Exception as error:
        kind, what = workflow.split(":", 1)
        why = queue.stages.one_line(error)
        return _not_loaded(what.split(":")[0], why) if kind == "ingest" else [f"{what} was not made: {why}"]
    return []


def _not_loaded(batch_id: str, why: str) -> list[str]:
    """What the ledger says of a batch whose work ended with an error; nothing when it was loaded before."""
    with warehouse.connect() as db:
        return [] if ledger.is_loaded(db, batch_id) else [f"{batch_id} was not loaded: {why}"]
