"""`t3 rejects`: rejected rows and the decisions on them."""

import datetime
from typing import Annotated

import typer

from scheduler.cli.dates import days_of
from scheduler.cli.options import By, File, Json, Row, Truck, Why
from scheduler.cli.output import left_out, out, print_json, say, shown, table
from t3lib.money import parse_pence, pounds
from t3lib.problems import RefusedError, WrongUseError

app = typer.Typer(help="Rejected rows: list, repair, dismiss, replay.", no_args_is_help=True)
_STATUSES = ("open", "repaired", "replayed", "dismissed")


@app.command("list")
def listed(
    reason: Annotated[str, typer.Option(help="Only this reason, such as decimal_shift.")] = "",
    truck: Truck = None,
    date: Annotated[str, typer.Option(help="Only business day DATE, or DATE..DATE.")] = "",
    status: Annotated[str, typer.Option(help="open, repaired, replayed or dismissed.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to list.")] = 50,
    json: Json = False,
) -> None:
    """List the newest rejected rows, each with its reason.

    Example: t3 rejects list --reason decimal_shift"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.decisions import rejects

    if status not in _STATUSES:
        raise WrongUseError(f"--status {status!r} is not known: choose one of {', '.join(_STATUSES)}.")
    first, last = _days(date)
    with session("database"), warehouse.connect() as db:
        rows = rejects.listed(
            db, statuses=[status], reason=reason or None, truck=truck, first=first, last=last, limit=limit
        )
        of_all = rejects.count(db, statuses=[status], reason=reason or None, truck=truck, first=first, last=last)
    left_out(len(rows), of_all)
    if json:
        print_json(rows)
        return
    for row in rows:
        row["suggested"] = pounds(row["suggested_pence"]) if row["suggested_pence"] else ""
        row["file"] = str(row["file_id"])
        row["text"] = row["raw_line"] or row["raw_total"]
    columns = {"file": "file", "row_number": "row", "truck_id": "truck", "raw_timestamp": "time", "raw_type": "payment",
               "text": "total", "reason": "reason", "suggested": "suggested", "key": "key"}  # fmt: skip
    table(rows, columns, f"No rejected row is {status}.")


@app.command("show")
def show(file: File, row: Row, json: Json = False) -> None:
    """Show a rejected row and every decision on it.

    Example: t3 rejects show 12 34"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.decisions import rejects

    with session("database"), warehouse.connect() as db:
        found = rejects.show(db, file, row)
    if json:
        print_json(found)
        return
    suggested = pounds(found["suggested_pence"]) if found["suggested_pence"] else "nothing"
    text = {"file": found["key"], "row": found["row_number"], "truck": found["truck_id"],
            "business day": found["business_date"],
            "time": found["raw_timestamp"], "payment": found["raw_type"], "total": found["raw_total"],
            **({"complete row": found["raw_line"]} if found["raw_line"] else {}),
            "why": found["sentence"], "suggested": suggested, "status": found["status"]}  # fmt: skip
    for name, value in text.items():
        out().print(f"{name:>14}  {shown(value)}", markup=False, soft_wrap=True)
    for line in found["decisions"]:
        line["total"] = pounds(line["total_pence"]) if line["total_pence"] else ""
    columns = {"made_at": "decided", "action": "decision", "actor": "by", "total": "total", "why": "why"}
    table(found["decisions"], columns, "No decision on it yet.")


@app.command("repair")
def repair(
    file: File,
    row: Row,
    why: Why,
    total: Annotated[str, typer.Option(help="The total in pounds, such as 4.99.")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="Accept the suggested total.")] = False,
    at: Annotated[
        str, typer.Option(help='Local time, such as "2026-11-05 12:30", if the row has none that is valid.')
    ] = "",
    payment: Annotated[str, typer.Option(help="card or cash, if the row has neither.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Accept the value although the rules reject it.")] = False,
    by: By = "",
) -> None:
    """Make a rejected row a sale.

    Example: t3 rejects repair 12 34 --accept --why "The till lost its point" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import repairs
    from t3lib.warehouse.files.audit import account

    pence, moment = _pence(total), _moment(at)
    with session("database"):
        sale = repairs.repair(
            file, row, pence=pence, accept=accept, sold_at=moment, payment_type=payment or None, force=force,
            actor=by or account(), why=why,
        )  # fmt: skip
    sold = f"{pounds(sale['total_pence'])} by {sale['payment_type']} at truck {sale['truck_id']}"
    say(f"{sold}, {shown(sale['sold_at'])}, is a sale now. To undo: `t3 rejects undo {file} {row}`")


@app.command("dismiss")
def dismiss(file: File, row: Row, why: Why, by: By = "") -> None:
    """Say that a rejected row is no sale.

    Example: t3 rejects dismiss 12 34 --why "A test of the till" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import repairs
    from t3lib.warehouse.files.audit import account

    with session("database"):
        repairs.dismiss(file, row, actor=by or account(), why=why)
    say(f"Dismissed. To undo: `t3 rejects undo {file} {row}`")


@app.command("undo")
def undo(file: File, row: Row, why: Why, by: By = "") -> None:
    """Take back the latest decision on a rejected row.

    Example: t3 rejects undo 12 34 --why "Wrong row" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import repairs
    from t3lib.warehouse.files.audit import account

    with session("database"):
        was = repairs.undo(file, row, actor=by or account(), why=why)
    say(f"Taken back: {was}.")


@app.command("replay")
def replay(
    why: Why,
    reason: Annotated[str, typer.Option(help="Only this reason, such as decimal_shift.")] = "",
    truck: Truck = None,
    date: Annotated[str, typer.Option(help="Only business day DATE, or DATE..DATE.")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Validate the open rejects again under the present rules.

    Rows that the rules accept become sales.

    Example: t3 rejects replay --reason decimal_shift --why "New menu" """
    from scheduler.cli.session import session
    from t3lib.warehouse.decisions import replays
    from t3lib.warehouse.files.audit import account

    first, last = _days(date)
    with session("database"):
        done = replays.replay(
            actor=by or account(), why=why, reason=reason or None, truck=truck, first=first, last=last
        )
    if json:
        # Scripts read these names: "judged" was the word for validated in 0.1.
        print_json({"judged": done.validated, "accepted": done.accepted, "pence": done.pence})
        return
    say(f"{done.validated:,} open rejects validated: {done.accepted:,} are sales now, {pounds(done.pence)}.")


def _days(text: str) -> tuple[datetime.date | None, datetime.date | None]:
    return days_of(text, "--date") if text else (None, None)


def _pence(text: str) -> int | None:
    if not text:
        return None
    pence, _, _ = parse_pence(text)
    if pence is None:
        raise RefusedError(f"--total {text!r} is not an amount: write it like 4.99.")
    return pence


def _moment(text: str) -> datetime.datetime | None:
    """A time option, local unless it has an offset. Raises WrongUseError."""
    if not text:
        return None
    from t3lib.business_day import moment_of

    try:
        return moment_of(text)
    except ValueError as error:
        raise WrongUseError(f"--at {error}") from None
