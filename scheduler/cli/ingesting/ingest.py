"""`t3 ingest`: takes in all that is new, now; with --reprocess, cleans loaded days again under the present rules."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.dates import days_of
from scheduler.cli.options import By, Json, Why
from scheduler.cli.output import out, print_json, progress, say, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError

if TYPE_CHECKING:
    from t3lib.warehouse.sales.restated_figures import Restatement


def ingest(
    reprocess: Annotated[str, typer.Option(help="Instead, clean the loaded files of DATE or DATE..DATE again.")] = "",
    again: Annotated[str, typer.Option(hidden=True)] = "",  # the name of --reprocess in 0.1; goes after 0.2
    why: Why = "The rules changed.",
    by: By = "",
    json: Json = False,
) -> None:
    """Take in all that is new in the bucket, now.

    Failed batches are retried. With --reprocess, the loaded files of some days are read and cleaned again under the
    present rules; `t3 diff` shows beforehand what that changes.

    Example: t3 ingest

    Example: t3 ingest --reprocess 2026-11-01..2026-11-07 --why "Vouchers are cash" """
    if again:
        say("t3: --again is now --reprocess; the next version will not accept --again.")
        if reprocess:
            raise WrongUseError("--again is the old name of --reprocess: use --reprocess alone.")
    if days := reprocess or again:
        _reprocess(days, why, by, json)
    else:
        _ingest_new(json)


def _ingest_new(as_json: bool) -> None:
    """Sweep the bucket and wait for every batch; raises SystemExit(1) when one failed."""
    from scheduler import kernels
    from scheduler.cli.ingesting.batches import AT_ONCE, take_in
    from scheduler.cli.session import session
    from scheduler.queue import workflows

    with session("database", "landing", "smtp", "archive"):
        kernels.warm()
        with workflows.working(AT_ONCE):
            before = summary()
            failed = take_in()
            after = summary()
    if as_json:
        print_json(after)
    else:
        for line in outcome(before, after):
            say(line)
    _report_failed(failed)


def _reprocess(days: str, why: str, by: str, as_json: bool) -> None:
    """Clean the loaded files of these business days again; raises SystemExit(1) when one batch failed."""
    from scheduler import kernels
    from scheduler.cli.ingesting.batches import wait_for_all
    from scheduler.cli.session import session
    from scheduler.queue import workflows
    from t3lib import warehouse
    from t3lib.settings import settings
    from t3lib.warehouse.files import batches, reprocessing
    from t3lib.warehouse.files.audit import account
    from t3lib.warehouse.sales import restated_figures

    first, last = days_of(days, "--reprocess")
    size = settings().batch_bytes
    with session("database", "landing", "smtp", "archive"):
        kernels.warm()
        with warehouse.connect() as db:
            made = reprocessing.claim_days(db, first, last, actor=by or account(), why=why, batch_bytes=size)
            batches.claim(db, size)
        with workflows.working(), progress("Reprocessing") as advance:
            failed = wait_for_all(workflows.enqueue_open_batches(), advance)
        with warehouse.connect() as db:
            files = reprocessing.outcomes(db, made)
            changes = restated_figures.of_batches(db, made)
    if as_json:
        print_json({"files": files, "changes": [vars(change) for change in changes], "failed": failed})
    else:
        _show(files, changes)
    _report_failed(failed)


def _report_failed(failed: list[str]) -> None:
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def summary() -> dict:
    """Counts of the warehouse's files, rows and batches."""
    from t3lib import warehouse
    from t3lib.warehouse.files import status

    with warehouse.connect() as db:
        return status.summary(db)


def outcome(before: dict, after: dict) -> list[str]:
    """What changed between two summaries: a line for the sales, and one for everything that a person may look at."""
    from t3lib.warehouse.files.file_outcomes import NOT_LOADED

    if all(before[name] == after[name] for name in ("files", "rows_read", "rows_loaded", "pence_loaded", "batches")):
        return ["Nothing new."]
    rows, rejected, pence = (after[name] - before[name] for name in ("rows_loaded", "rows_rejected", "pence_loaded"))
    changes = [
        f"{rows:+,} sales, {pounds(pence)}; now {after['rows_loaded']:,} sales, {pounds(after['pence_loaded'])}."
    ]
    if rejected > 0:
        rejects = "1 row was" if rejected == 1 else f"{rejected:,} rows were"
        changes.append(f"{rejects} not loaded: `t3 rejects list` shows why.")
    for state in NOT_LOADED:
        if (count := after["files"].get(state, 0) - before["files"].get(state, 0)) > 0:
            files = "1 file is" if count == 1 else f"{count:,} files are"
            changes.append(f"{files} {state.replace('_', ' ')}: `t3 files --state {state}` shows why.")
    return changes


def reprocessed(files: list[dict]) -> list[str]:
    """How many files were reprocessed, and how many were not because their batch failed."""
    outcomes = Counter(file["outcome"] for file in files)
    done, unchanged, left = len(files) - outcomes[None], outcomes["unchanged"], outcomes[None]
    said = [f"{done:,} {'file' if done == 1 else 'files'} reprocessed, {unchanged:,} of them came out as before."]
    if left:
        were = "1 file was" if left == 1 else f"{left:,} files were"
        said.append(f"{were} not reprocessed: the batch failed, and what is loaded is as before.")
    return said if done or not left else said[1:]


def _show(files: list[dict], changes: list["Restatement"]) -> None:
    changed = [file for file in files if file["outcome"] not in ("unchanged", None)]
    if changed:
        table(changed, {"key": "file", "outcome": "outcome", "reason": "what that means"}, "")
    for line in reprocessed(files):
        out().print(line)
    rows = [
        {"truck": change.truck_id, "day": change.business_date, "before": pounds(change.pence_before),
         "after": pounds(change.pence_after), "sales": f"{change.rows:+,}"}
        for change in changes
    ]  # fmt: skip
    if rows:
        table(rows, {name: name for name in ("truck", "day", "before", "after", "sales")}, "")
