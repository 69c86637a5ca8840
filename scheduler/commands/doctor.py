"""`t3 doctor`: proofs that everything agrees, and rollups made anew where they do not."""

from rich.markup import escape

from scheduler.cli.reachable import bucket_check, files_check, service_checks
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import out, progress, say
from scheduler.commands.session import session
from t3lib import archive, warehouse
from t3lib.warehouse.checks import reconciliation, role_exposure, rollup_repair
from t3lib.warehouse.checks.reconciliation import Check
from t3lib.warehouse.checks.rereading import SAMPLE
from t3lib.warehouse.checks.rollup_repair import Rebuilt
from t3lib.warehouse.files.audit import account


def doctor(
    repair: bool = False, why: str = "", by: str = "", as_json: bool = False, files: bool = False, sample: int = SAMPLE
) -> None:
    """Run every check, after a repair of the rollups if asked for; raises SystemExit(1) when one fails.

    files: also read this many loaded files once more (sample 0: all of them)."""
    with session("database", "landing", "smtp", "archive"):
        rebuilt = rollup_repair.rebuild(actor=by or account(), why=why) if repair else []
        with warehouse.connect() as db:
            checks = [*reconciliation.checks(db), bucket_check(db), archive.check(db), role_exposure.check(db)]
        if files:
            with progress("Reading loaded files once more") as advance:
                checks.append(files_check(sample, advance))
        checks += service_checks()
    ok = all(check.ok for check in checks)
    if as_json:
        made = {"rebuilt": [vars(table) | {"days": list(map(vars, table.days))} for table in rebuilt]}
        print_json({"ok": ok, **(made if repair else {}), "checks": [vars(check) for check in checks]})
    else:
        if repair:
            _tell(rebuilt, checks)
        _show(checks)
        out.print("Everything reconciles." if ok else "Something does not hold: see the lines marked FAIL.")
    if not ok:
        raise SystemExit(1)


def _tell(rebuilt: list[Rebuilt], checks: list[Check]) -> None:
    for table in rebuilt:
        say(str(table))
    if any(check.name.startswith("rollup_") and not check.ok for check in checks):
        say(
            "Left alone: rollups of trucks whose ledger, sales and rejects disagree. Follow the advice for these first."
        )
    elif not rebuilt:
        say("No rollup needed a repair.")


def _show(checks: list[Check]) -> None:
    for check in checks:
        out.print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<16} {escape(check.detail)}", soft_wrap=True)
        if check.advice:
            out.print(f"{'':<22} {escape(check.advice)}", soft_wrap=True)
