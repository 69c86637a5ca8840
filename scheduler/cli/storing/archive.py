"""`t3 archive`: the sales as Parquet."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, progress, say, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError

if TYPE_CHECKING:
    from t3lib.archive import Verification

app = typer.Typer(help="The archive of sales as Parquet files: verify, rebuild.", no_args_is_help=True)


@app.command("verify")
def verify(
    month: Annotated[str, typer.Option(help="Only this business month, YYYY-MM.")] = "", json: Json = False
) -> None:
    """Compare the archive with the database, partition by partition.

    Exits with 1 if they differ.

    Example: t3 archive verify --month 2026-11"""
    from scheduler.cli.session import session
    from t3lib import archive, warehouse

    wanted = _month(month)
    with session("database", "archive"), warehouse.connect() as db, progress("Reading the archive") as advance:
        found = archive.verify(db, wanted, advance)
    if json:
        print_json(found.as_dict())
    else:
        _show(found)
    if not found.ok:
        raise SystemExit(1)


@app.command("rebuild")
def rebuild(month: Annotated[str, typer.Option(help="Only this business month, YYYY-MM.")] = "") -> None:
    """Write the archive again from the database.

    Parquet files in it that are not its own are removed.

    Example: t3 archive rebuild --month 2026-11"""
    from scheduler.cli.session import session
    from t3lib import archive

    wanted = _month(month)
    with session("database", "archive"), progress("Writing the archive") as advance:
        days = archive.rebuild(wanted, advance)
    say(f"{days:,} days written.")


def _show(found: "Verification") -> None:
    rows = [
        vars(difference)
        | {name: pounds(getattr(difference, name)) for name in ("archive_pence", "database_pence")}
        | {"business_date": difference.business_date}
        for difference in found.differences
    ]
    columns = {"partition": "partition", "business_date": "business day", "archive_rows": "archive",
               "archive_pence": "", "database_rows": "database", "database_pence": "", "why": "why"}  # fmt: skip
    table(rows, columns, "Every partition agrees with the database.")
    out().print(f"{found.partitions:,} partitions, {found.days:,} days, {found.rows:,} sales, {pounds(found.pence)}.")
    if rows:
        out().print("Waiting days are written after the next load; for the rest run `t3 archive rebuild`.")


def _month(text: str) -> str | None:
    """The month of an option. Raises WrongUseError."""
    from t3lib.business_day import day_of

    try:
        return day_of(f"{text}-01").strftime("%Y-%m") if text else None
    except ValueError:
        raise WrongUseError(f"--month {text!r} is not a month: write it like 2026-11.") from None
