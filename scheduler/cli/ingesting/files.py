"""`t3 files`: the ledger, and people's decisions about a file."""

from typing import Annotated

import typer

from scheduler.cli.options import By, Json, Key, Truck, Why
from scheduler.cli.output import left_out, print_json, say, table
from t3lib.problems import WrongUseError

app = typer.Typer()


@app.callback()
def files(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only files in this state, such as unreadable.")] = "",
    truck: Truck = None,
    limit: Annotated[int, typer.Option(min=1, help="Most files to list.")] = 50,
    json: Json = False,
) -> None:
    """List the newest files of the ledger and what became of each.

    Example: t3 files --state held_overlap"""
    if context.invoked_subcommand:
        return
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.files import status
    from t3lib.warehouse.files.file_outcomes import OUTCOMES

    if state and state not in OUTCOMES:
        raise WrongUseError(f"--state {state!r} is not known: choose one of {', '.join(OUTCOMES)}.")
    with session("database"), warehouse.connect() as db:
        rows = status.files(db, state or None, truck, limit)
        of_all = status.count_files(db, state or None, truck)
    left_out(len(rows), of_all)
    if json:
        print_json(rows)
        return
    for row in rows:
        row["not_read"] = ", ".join(row["columns_not_read"])
    columns = {"key": "file", "state": "state", "rows_read": "read", "rows_loaded": "loaded",
               "rows_rejected": "rejected", "finished_at": "finished", "deleted_at": "deleted upstream",
               "not_read": "columns not read", "reason": "why"}  # fmt: skip
    chosen = bool(state or truck)
    table(rows, columns, "No file matches." if chosen else "No file yet: drop one into the bucket and run `t3 ingest`.")


@app.command("release")
def release(key: Key, why: Why, by: By = "") -> None:
    """Release a held file: the next ingest loads its newest version.

    Any spelling of the key will do. Releasing a file that was held for its columns says that each of its rows is a
    sale.

    Example: t3 files release trucks/2026-11/5/15/T3_T3_B2.csv --why "Two tills, same sales" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import quarantine
    from t3lib.warehouse.files.audit import account

    with session("database"):
        quarantine.release(key, actor=by or account(), why=why)
    say("Released: the next `t3 ingest` loads it.")


@app.command("hold")
def hold(key: Key, why: Why, by: By = "") -> None:
    """Take a loaded file out of the figures until it is released.

    Newer versions of it are held too.

    Example: t3 files hold trucks/2026-11/5/15/T3_T3_B2.csv --why "A test of the till" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import quarantine
    from t3lib.warehouse.files.audit import account

    with session("database"):
        quarantine.hold(key, actor=by or account(), why=why)
    say(f"Held: its rows are out of the figures. To undo: `t3 files release {key}`")
