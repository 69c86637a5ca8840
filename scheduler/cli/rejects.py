"""`t3 rejects`: the repair desk."""

from typing import Annotated

import typer

from scheduler.cli.options import By, File, Json, Row, Truck, Why

app = typer.Typer(help="The rows that were not loaded, and the repair desk.", no_args_is_help=True)


@app.command("list")
def rejects_list(
    reason: Annotated[str, typer.Option(help="Only this reason, such as decimal_shift.")] = "",
    truck: Truck = None,
    date: Annotated[str, typer.Option(help="Only business day DATE, or DATE..DATE.")] = "",
    status: Annotated[str, typer.Option(help="open, repaired, replayed or dismissed.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    json: Json = False,
) -> None:
    """The newest rows that were not loaded, each with its reason.

    Example: t3 rejects list --reason decimal_shift"""
    from scheduler.commands.rejects import listed as run

    run(reason=reason or None, truck=truck, days=date, status=status, limit=limit, as_json=json)


@app.command("show")
def rejects_show(file: File, row: Row, json: Json = False) -> None:
    """One such row, and every decision on it.

    Example: t3 rejects show 12 34"""
    from scheduler.commands.rejects import show as run

    run(file, row, as_json=json)


@app.command("repair")
def rejects_repair(
    file: File,
    row: Row,
    why: Why,
    total: Annotated[str, typer.Option(help="The total in pounds, such as 4.99.")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="Accept the suggested total.")] = False,
    at: Annotated[
        str, typer.Option(help='The local time, such as "2026-11-05 12:30", where the row\'s is no good.')
    ] = "",
    payment: Annotated[str, typer.Option(help="card or cash, where the row's is no good.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Also beyond what this truck's rules believe.")] = False,
    by: By = "",
) -> None:
    """Make such a row a sale.

    Example: t3 rejects repair 12 34 --accept --why "The till lost its point" """
    from scheduler.commands.rejects import repair as run

    run(file, row, total=total, accept=accept, at=at, payment=payment, force=force, why=why, by=by)


@app.command("dismiss")
def rejects_dismiss(file: File, row: Row, why: Why, by: By = "") -> None:
    """Say that such a row is no sale; it is asked about no more.

    Example: t3 rejects dismiss 12 34 --why "A test of the till" """
    from scheduler.commands.rejects import dismiss as run

    run(file, row, why=why, by=by)


@app.command("undo")
def rejects_undo(file: File, row: Row, why: Why, by: By = "") -> None:
    """Take the latest decision on such a row back.

    Example: t3 rejects undo 12 34 --why "Wrong row" """
    from scheduler.commands.rejects import undo as run

    run(file, row, why=why, by=by)


@app.command("replay")
def rejects_replay(
    why: Why,
    reason: Annotated[str, typer.Option(help="Only this reason, such as decimal_shift.")] = "",
    truck: Truck = None,
    date: Annotated[str, typer.Option(help="Only business day DATE, or DATE..DATE.")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Judge the open rows again by the present rules. What they accept becomes a sale.

    Example: t3 rejects replay --reason decimal_shift --why "New menu" """
    from scheduler.commands.rejects import replay as run

    run(reason=reason or None, truck=truck, days=date, why=why, by=by, as_json=json)
