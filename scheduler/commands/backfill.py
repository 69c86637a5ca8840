"""`t3 backfill`: past days, planned and caught up on."""

from scheduler import kernels
from scheduler.commands.ingesting import AT_ONCE, see_all_through
from scheduler.commands.making import day_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import progress, say, table
from scheduler.commands.reporting import scheduled
from scheduler.commands.session import session
from scheduler.queue import workflows
from scheduler.queue.backfill import Backfill, Day
from t3lib import mail
from t3lib.warehouse.files.audit import account


def backfill(first: str, last: str, mode: str, reports: bool, dry_run: bool, as_json: bool) -> None:
    """Plan and, unless it is a dry run, do it; raises SystemExit(1) when something failed."""
    days = day_of(first, "--from"), day_of(last, "--to")
    with session("database", "landing", "smtp", "archive"):
        wanted = Backfill(*days, mode, tuple(scheduled()) if reports else ())
        plan = wanted.plan()
        failed = [] if dry_run else _do(wanted)
    if as_json:
        print_json({"days": [vars(day) for day in plan], "dry_run": dry_run, "failed": failed})
    else:
        _show(plan)
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def _do(wanted: Backfill) -> list[str]:
    kernels.warm()
    failed: list[str] = []
    with workflows.working(AT_ONCE), progress("Backfilling") as advance:
        failed += see_all_through(wanted.start(account()), advance)
        failed += see_all_through(wanted.start_reports(), advance)
    if wanted.editions:
        mail.send_due()
    return failed


def _show(plan: list[Day]) -> None:
    rows = [vars(day) | {"reports": ", ".join(day.reports)} for day in plan]
    columns = {"business_date": "business day", "missing": "files to load", "failed": "files that failed",
               "again": "files to clean again", "reports": "reports to make"}  # fmt: skip
    table(rows, columns, "Nothing to catch up on.")
