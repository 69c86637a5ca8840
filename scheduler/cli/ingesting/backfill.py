"""`t3 backfill`: catches up on past days."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import Json
from scheduler.cli.output import print_json, progress, say, table

if TYPE_CHECKING:
    from scheduler.queue.backfill import Backfill, Day

_MODES = "missing: files never loaded; failed: failed batches; all: both, and loaded files are reprocessed."


def backfill(
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business day, YYYY-MM-DD.")],
    mode: Annotated[str, typer.Option(help=_MODES)] = "missing",
    reports: Annotated[bool, typer.Option("--reports", help="Also make and mail missing reports.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    json: Json = False,
) -> None:
    """Catch up on past days, behind today's work.

    It may be stopped at any time; the same command continues.

    Example: t3 backfill --from 2026-11-01 --to 2026-11-07 --dry-run"""
    from scheduler.cli.reporting.report import scheduled
    from scheduler.cli.session import session
    from scheduler.queue.backfill import Backfill

    days = day_of(first, "--from"), day_of(last, "--to")
    with session("database", "landing", "smtp", "archive"):
        wanted = Backfill(*days, mode, tuple(scheduled()) if reports else ())
        plan = wanted.plan()
        failed = [] if dry_run else _run(wanted)
    if json:
        print_json({"days": [_as_json(day) for day in plan], "dry_run": dry_run, "failed": failed})
    else:
        _show(plan)
    for line in failed:
        say(line)
    if failed:
        raise SystemExit(1)


def _run(wanted: "Backfill") -> list[str]:
    from scheduler import kernels
    from scheduler.cli.ingesting.batches import AT_ONCE, wait_for_all
    from scheduler.queue import workflows
    from t3lib import mail
    from t3lib.warehouse.files.audit import account

    kernels.warm()
    failed: list[str] = []
    with workflows.working(AT_ONCE), progress("Backfilling") as advance:
        failed += wait_for_all(wanted.start(account()), advance)
        failed += wait_for_all(wanted.start_reports(), advance)
    if wanted.editions:
        mail.send_due()
    return failed


def _as_json(day: "Day") -> dict[str, Any]:
    values = vars(day)
    return {("again" if name == "reprocess" else name): value for name, value in values.items()}  # its name in 0.1


def _show(plan: list["Day"]) -> None:
    rows = [vars(day) | {"reports": ", ".join(day.reports)} for day in plan]
    columns = {"business_date": "business day", "missing": "files to load", "failed": "files that failed",
               "reprocess": "files to reprocess", "reports": "reports to make"}  # fmt: skip
    table(rows, columns, "Nothing to catch up on.")
