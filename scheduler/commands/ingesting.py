"""`t3 ingest`: all that is new, now."""

import os
from collections.abc import Callable

from scheduler import kernels
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import progress, say
from scheduler.commands.session import session
from scheduler.queue import stages
from scheduler.queue import workflows as queue
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
        with queue.working(AT_ONCE):
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
        stages.keep_archive(advance)
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


def _now() -> dict:
    with warehouse.connect() as db:
        return status.summary(db)
