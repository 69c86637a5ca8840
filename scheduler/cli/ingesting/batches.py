"""Batches taken in and waited for by a command."""

import os
from collections.abc import Callable

from scheduler.cli.output import progress
from scheduler.queue import stages, workflows
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
        ledger.reopen_failed(db)
    failed: list[str] = []
    with progress("Reading the bucket") as advance:
        while discover(landing, sweep=True) or _waiting():
            if not (before := _waiting()):
                break
            failed += finish_open_batches(advance)
            if before == _waiting():  # their work ended without a word, and asking again gives the same
                break
    with progress("Writing the archive") as advance:
        stages.keep_archive(advance)
    return failed


def finish_open_batches(advance: Callable[[int, int], None]) -> list[str]:
    """See every batch that waits through, once; returns one line per batch that failed."""
    failed: list[str] = []
    batches = workflows.enqueue_open_batches()
    for done, workflow in enumerate(batches):
        advance(done, len(batches))
        failed += see_through(workflow)
    return failed


def see_through(workflow: str) -> list[str]:
    """Wait for a workflow; one line when it failed."""
    try:
        workflows.wait(workflow)
    except Exception as error:
        kind, what = workflow.split(":", 1)
        why = workflows.stages.plain(error)
        return _not_loaded(what.split(":")[0], why) if kind == "ingest" else [f"{what} was not made: {why}"]
    return []


def _not_loaded(batch_id: str, why: str) -> list[str]:
    """What the ledger says of a batch whose work ended with an error; nothing when it was loaded before."""
    with warehouse.connect() as db:
        return [] if ledger.is_loaded(db, batch_id) else [f"{batch_id} was not loaded: {why}"]


def _waiting() -> list[tuple[str, int]]:
    with warehouse.connect() as db:
        return ledger.open_batches(db)
