"""`t3 ingest --again`: days cleaned anew under the present rules. `t3 files hold|release`: files out and in."""

from scheduler import kernels
from scheduler.commands.ingesting import see_all_through
from scheduler.commands.making import days_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import out, progress, say, table
from scheduler.commands.session import session
from scheduler.queue import workflows
from t3lib import warehouse
from t3lib.money import pounds
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.files import ledger, reprocessing
from t3lib.warehouse.files.audit import account
from t3lib.warehouse.sales import restated_figures
from t3lib.warehouse.sales.restated_figures import Restatement


def again(days: str, why: str, by: str, as_json: bool) -> None:
    """Clean the loaded files of these business days again; raises SystemExit(1) when one batch failed."""
    first, last = days_of(days, "--again")
    size = settings().batch_bytes
    with session("database", "landing", "smtp", "archive"):
        kernels.warm()
        with warehouse.connect() as db:
            batches = reprocessing.ask(db, first, last, actor=by or account(), why=why, batch_bytes=size)
            ledger.claim(db, size)
        with workflows.working(), progress("Cleaning again") as advance:
            failed = see_all_through(workflows.enqueue_open_batches(), advance)
        with warehouse.connect() as db:
            files = reprocessing.outcomes(db, batches)
            changes = restated_figures.of_batches(db, batches)
    if as_json:
        print_json({"files": files, "changes": [vars(change) for change in changes], "failed": failed})
    else:
        _show(files, changes)
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def release(key: str, why: str, by: str) -> None:
    """Let a held file in."""
    with session("database"):
        quarantine.release(key, actor=by or account(), why=why)
    say("Released: the next `t3 ingest` loads it.")


def hold(key: str, why: str, by: str) -> None:
    """Take a loaded file out."""
    with session("database"):
        quarantine.hold(key, actor=by or account(), why=why)
    say(f"Held: its rows are out of the figures. `t3 files release {key}` lets it in again.")


def _show(files: list[dict], changes: list[Restatement]) -> None:
    unchanged = sum(file["outcome"] == "unchanged" for file in files)
    told = [file for file in files if file["outcome"] != "unchanged"]
    if told:
        table(told, {"key": "file", "outcome": "outcome", "reason": "what that means"}, "")
    out.print(f"{len(files):,} files cleaned again, {unchanged:,} of them came out as before.")
    rows = [
        {"truck": change.truck_id, "day": change.business_date, "before": pounds(change.pence_before),
         "after": pounds(change.pence_after), "sales": f"{change.rows:+,}"}
        for change in changes
    ]  # fmt: skip
    if rows:
        table(rows, {name: name for name in ("truck", "day", "before", "after", "sales")}, "")
