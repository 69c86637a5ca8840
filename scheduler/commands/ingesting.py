"""`t3 ingest`: all that is new, now."""

import os
from collections.abc import Callable

from scheduler import kernels
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import progress, say
from scheduler.commands.session import session
from scheduler.queue import stages, workflows
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.money import pounds
from t3lib.warehouse.files import ledger, status
from t3lib.warehouse.files.file_outcomes import NOT_LOADED

# Batches that one process takes in at a time, one more than cores: a load also waits for the disk.
AT_ONCE = min(3, 1 + (os.cpu_count() or 1))


def ingest(as_json: bool = False) -> None:
    """Sweep the bucket and see every batch through; raises SystemExit(1) when one failed."""
    with session("database", "landing", "smtp", "archive"):
        kernels.warm()
        with workflows.working(AT_ONCE):
            before = _now()
            failed = take_in()
            after = _now()
    if as_json:
        print_json(after)
    else:
        for line in outcome(before, after):
            say(line)
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def outcome(before: dict, after: dict) -> list[str]:
    """What changed between two summaries, in a line for the sales and one for each thing that a person may look at."""
    if all(before[name] == after[name] for name in ("files", "rows_read", "rows_loaded", "pence_loaded", "batches")):
        return ["Nothing new."]
    rows, rejected, pence = (after[name] - before[name] for name in ("rows_loaded", "rows_rejected", "pence_loaded"))
    said = [f"{rows:+,} sales, {pounds(pence)}; now {after['rows_loaded']:,} sales, {pounds(after['pence_loaded'])}."]
    if rejected > 0:
        rejects = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
        said.append(f"{rejects} not loaded: `t3 rejects list` shows why.")
    for state in NOT_LOADED:
        if (count := after["files"].get(state, 0) - before["files"].get(state, 0)) > 0:
            files = "1 file is" if count == 1 else f"{count:,} files are"
            said.append(f"{files} {state.replace('_', ' ')}: `t3 files --state {state}` shows why.")
    return said


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
        why = workflows.stages.one_line(error)
        return _not_loaded(what.split(":")[0], why) if kind == "ingest" else [f"{what} was not made: {why}"]
    return []


def _not_loaded(batch_id: str, why: str) -> list[str]:
    """What the ledger says of a batch whose work ended with an error; nothing when it was loaded before."""
    with warehouse.connect() as db:
        return [] if ledger.is_loaded(db, batch_id) else [f"{batch_id} was not loaded: {why}"]


def _waiting() -> list[tuple[str, int]]:
    with warehouse.connect() as db:
        return ledger.open_batches(db)


def _now() -> dict:
    with warehouse.connect() as db:
        return status.summary(db)
