"""`t3 archive`: the sales as Parquet."""

from typing import Annotated

import typer

from scheduler.cli.options import Json

app = typer.Typer(help="The sales as Parquet files, for readers without the database.", no_args_is_help=True)


@app.command("verify")
def archive_verify(
    month: Annotated[str, typer.Option(help="Only this business month, YYYY-MM.")] = "", json: Json = False
) -> None:
    """Compare the archive with the database, partition by partition. Exit 1 when they differ.

    Example: t3 archive verify --month 2026-11"""
    from scheduler.commands.archive import verify as run

    run(month=month, as_json=json)


@app.command("rebuild")
def archive_rebuild(month: Annotated[str, typer.Option(help="Only this business month, YYYY-MM.")] = "") -> None:
    """Write the archive anew from the database. Parquet files that are not its own are removed.

    Example: t3 archive rebuild --month 2026-11"""
    from scheduler.commands.archive import rebuild as run

    run(month=month)
