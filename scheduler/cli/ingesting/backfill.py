"""`t3 backfill`: past days, planned and caught up on."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import Json
from scheduler.cli.output import print_json, progress, say, table

if TYPE_CHECKING:
    from scheduler.queue.backfill import Backfill, Day


def backfill(
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business day, YYYY-MM-DD.")],
    mode: Annotated[str, typer.Option(help="missing: never loaded; failed: tried and failed; all: cleaned anew.")] = (
        "missing"
    ),
    reports: Annotated[bool, typer.Option("--reports", help="Make (and mail) the days' missing reports too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    json: Json = False,
) -> None:
    """Catch up on past days, after today's work. It may be stopped and asked for again: it goes on.

    Example: t3 backfill --from 2026-11-01 --to 2026-11-07 --mode failed --dry-run"""
    from scheduler.cli.reporting.report import scheduled
    from scheduler.cli.session import session
    from scheduler.queue.backfill import Backfill

    days = day_of(first, "--from"), day_of(last, "--to")
    with session("database", "landing", "smtp", "archive"):
        wanted = Backfill(*days, mode, tuple(scheduled()) if reports else ())
        plan = wanted.plan()
        failed = [] if dry_run else _do(wanted)
    if json:
        print_json({"days": [vars(day) for day in plan], "dry_run": dry_run, "failed": failed})
    else:
        _show(plan)
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def _do(wanted: "Backfill") -> list[str]:
    from scheduler import kernels
    from scheduler.cli.ingesting.batches import AT_ONCE, see_all_through
    from scheduler.queue import workflows
    from t3lib import mail
    from t3lib.warehouse.files.audit import account

    kernels.warm()
    failed: list[str] = []
    with workflows.working(AT_ONCE), progress("Backfilling") as advance:
        failed += see_all_through(wanted.start(account()), advance)
        failed += see_all_through(wanted.start_reports(), advance)
    if wanted.editions:
        mail.send_due()
    return failed


def _show(plan: list["Day"]) -> None:
    rows = [vars(day) | {"reports": ", ".join(day.reports)} for day in plan]
    columns = {"business_date": "business day", "missing": "files to load", "failed": "files that failed",
               "again": "files to clean again", "reports": "reports to make"}  # fmt: skip
    table(rows, columns, "Nothing to catch up on.")
