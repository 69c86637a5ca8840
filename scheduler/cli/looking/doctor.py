"""`t3 doctor`: checks that everything agrees, and repairs rollups that do not."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import By, Json, Why
from scheduler.cli.output import out, print_json, progress, say

if TYPE_CHECKING:
    from t3lib.warehouse.checks.reconciliation import Check
    from t3lib.warehouse.checks.rollup_repair import Rebuilt


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="First recompute rollups where they differ; nothing else changes.")
    ] = False,
    files: Annotated[
        bool,
        typer.Option(
            "--files",
            help="Also read loaded files again and compare them with what was loaded; name those under other rules.",
        ),
    ] = False,
    sample: Annotated[int, typer.Option(min=0, help="How many files --files picks at random; 0: all.")] = 200,
    why: Why = "A rollup differed from the sales.",
    by: By = "",
    json: Json = False,
) -> None:
    """Check that files, sales, rejects, rollups and archive agree.

    Exits with 1 if they do not, or if a service does not answer.

    Example: t3 doctor --repair

    Example: t3 doctor --files --sample 0"""
    from scheduler.cli.looking.reachable import bucket_check, files_check, service_checks
    from scheduler.cli.session import session
    from t3lib import archive, warehouse
    from t3lib.warehouse.checks import other_rules, reconciliation, role_exposure
    from t3lib.warehouse.files.audit import account

    with session("database", "landing", "smtp", "archive"):
        rebuilt = _repaired(by or account(), why) if repair else []
        with warehouse.connect() as db:
            checks = [*reconciliation.checks(db), bucket_check(db), archive.check(db), role_exposure.check(db)]
            checks += [other_rules.check(db)] if files else []
        if files:
            with progress("Reading loaded files again") as advance:
                checks.append(files_check(sample, advance))
        checks += service_checks()
    ok = all(check.ok for check in checks)
    if json:
        made = {"rebuilt": [vars(table) | {"days": list(map(vars, table.days))} for table in rebuilt]}
        print_json({"ok": ok, **(made if repair else {}), "checks": [vars(check) for check in checks]})
    else:
        if repair:
            _report_repair(rebuilt, checks)
        _show(checks)
        out().print("Everything reconciles." if ok else "Not everything reconciles: see the lines marked FAIL.")
    if not ok:
        raise SystemExit(1)


def _repaired(by: str, why: str) -> list["Rebuilt"]:
    from t3lib.metrics.money.margins import contributions
    from t3lib.warehouse.checks import rollup_repair

    return rollup_repair.rebuild(contributions, actor=by, why=why)


def _report_repair(rebuilt: list["Rebuilt"], checks: list["Check"]) -> None:
    for table in rebuilt:
        say(str(table))
    if any(check.name.startswith("rollup_") and not check.ok for check in checks):
        say("Not repaired: rollups of trucks whose ledger, sales and rejects disagree: follow that advice first.")
    elif not rebuilt:
        say("No rollup needed a repair.")


def _show(checks: list["Check"]) -> None:
    for check in checks:
        out().print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<16} {check.detail}", markup=False, soft_wrap=True)
        if check.advice:
            out().print(f"{'':<22} {check.advice}", markup=False, soft_wrap=True)
