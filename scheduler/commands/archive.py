"""`t3 archive`: the sales as Parquet, compared with the database or written anew."""

from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import out, progress, say, table
from scheduler.commands.session import session
from t3lib import archive, warehouse
from t3lib.business_day import day_of
from t3lib.money import pounds
from t3lib.problems import WrongUseError


def verify(month: str, as_json: bool) -> None:
    """Print what was compared and what differs; raises SystemExit(1) when something does."""
    wanted = _month(month)
    with session("database", "archive"), warehouse.connect() as db, progress("Reading the archive") as advance:
        found = archive.verify(db, wanted, advance)
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)
    if not found.ok:
        raise SystemExit(1)


def rebuild(month: str) -> None:
    """Write the days of a month, or all of them, anew."""
    wanted = _month(month)
    with session("database", "archive"), progress("Writing the archive") as advance:
        days = archive.rebuild(wanted, advance)
    say(f"{days:,} days written.")


def _show(found: archive.Verification) -> None:
    rows = [
        vars(difference)
        | {name: pounds(getattr(difference, name)) for name in ("archive_pence", "database_pence")}
        | {"business_date": difference.business_date}
        for difference in found.differences
    ]
    columns = {"partition": "partition", "business_date": "business day", "archive_rows": "archive",
               "archive_pence": "", "database_rows": "database", "database_pence": "", "why": "why"}  # fmt: skip
    agree = "Every partition holds what the database holds."
    table(rows, columns, agree)
    out.print(f"{found.partitions:,} partitions, {found.days:,} days, {found.rows:,} sales, {pounds(found.pence)}.")
    if rows:
        out.print("What waits is written with the next load; for the rest run `t3 archive rebuild`.")


def _month(text: str) -> str | None:
    """A month option. Raises WrongUseError."""
    try:
        return day_of(f"{text}-01").strftime("%Y-%m") if text else None
    except ValueError:
        raise WrongUseError(f"--month {text!r} is not a month: write it like 2026-11.") from None
