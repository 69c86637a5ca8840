"""`t3 files`: the ledger, and what a person decides about a file."""

from typing import Annotated

import typer

from scheduler.cli.options import By, Json, Key, Truck, Why

app = typer.Typer()


@app.callback()
def files(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only files in this state, such as unreadable.")] = "",
    truck: Truck = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """The newest files of the ledger and what became of each.

    Example: t3 files --state held_overlap"""
    if context.invoked_subcommand:
        return
    from scheduler.commands.looking import files as run

    run(state=state or None, truck=truck, limit=limit, as_json=json)


@app.command("release")
def files_release(key: Key, why: Why, by: By = "") -> None:
    """Let a held file in, by any spelling of its key.

    The next ingest loads its newest version. One held for its columns: every row of it is a sale.

    Example: t3 files release trucks/2026-11/5/15/T3_T3_B2.csv --why "Two tills, same sales" """
    from scheduler.commands.again import release as run

    run(key, why=why, by=by)


@app.command("hold")
def files_hold(key: Key, why: Why, by: By = "") -> None:
    """Take a loaded file out of the figures until it is released.

    Newer versions of it wait as long.

    Example: t3 files hold trucks/2026-11/5/15/T3_T3_B2.csv --why "A test of the till" """
    from scheduler.commands.again import hold as run

    run(key, why=why, by=by)
