"""`t3 rejects`: the repair desk at a terminal."""

from datetime import date, datetime

from scheduler.commands.making import days_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import left_out, out, say, shown, table
from scheduler.commands.session import session
from t3lib import warehouse
from t3lib.business_day import moment_of
from t3lib.money import parse_pence, pounds
from t3lib.problems import RefusedError, WrongUseError
from t3lib.warehouse.decisions import rejects, rejudging, repairs
from t3lib.warehouse.files.audit import account

_STATUSES = ("open", "repaired", "replayed", "dismissed")


def listed(reason: str | None, truck: int | None, days: str, status: str, limit: int, as_json: bool) -> None:
    """Print the newest rejects in a status."""
    if status not in _STATUSES:
        raise WrongUseError(f"--status {status!r} is not known: choose one of {', '.join(_STATUSES)}.")
    first, last = _days(days)
    with session("database"), warehouse.connect() as db:
        chosen = {"statuses": [status], "reason": reason, "truck": truck, "first": first, "last": last}
        rows, of_all = rejects.listed(db, **chosen, limit=limit), rejects.count(db, **chosen)
    left_out(len(rows), of_all)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["suggested"] = pounds(row["suggested_pence"]) if row["suggested_pence"] else ""
        row["file"] = str(row["file_id"])
        row["text"] = row["raw_line"] or row["raw_total"]
    columns = {"file": "file", "row_number": "row", "truck_id": "truck", "raw_timestamp": "time", "raw_type": "payment",
               "text": "total", "reason": "reason", "suggested": "suggested", "key": "key"}  # fmt: skip
    table(rows, columns, f"No rejected row is {status}.")


def show(file_id: int, row_number: int, as_json: bool) -> None:
    """Print one reject and every decision on it."""
    with session("database"), warehouse.connect() as db:
        row = rejects.show(db, file_id, row_number)
    if as_json:
        print_json(row)
        return
    suggested = pounds(row["suggested_pence"]) if row["suggested_pence"] else "nothing"
    text = {"file": row["key"], "row": row["row_number"], "truck": row["truck_id"],
            "business day": row["business_date"],
            "time": row["raw_timestamp"], "payment": row["raw_type"], "total": row["raw_total"],
            **({"whole row": row["raw_line"]} if row["raw_line"] else {}),
            "why": row["sentence"], "suggested": suggested, "status": row["status"]}  # fmt: skip
    for name, value in text.items():
        out.print(f"{name:>14}  {shown(value)}", markup=False, soft_wrap=True)
    for line in row["decisions"]:
        line["total"] = pounds(line["total_pence"]) if line["total_pence"] else ""
    columns = {"made_at": "decided", "action": "decision", "actor": "by", "total": "total", "why": "why"}
    table(row["decisions"], columns, "Nobody decided about it yet.")


def repair(
    file_id: int, row_number: int, total: str, accept: bool, at: str, payment: str, force: bool, why: str, by: str
) -> None:
    """Make a reject a sale."""
    pence, moment = _pence(total), _moment(at)
    with session("database"):
        sale = repairs.repair(
            file_id, row_number, pence=pence, accept=accept, sold_at=moment, payment_type=payment or None, force=force,
            actor=by or account(), why=why,
        )  # fmt: skip
    sold = f"{pounds(sale['total_pence'])} by {sale['payment_type']} at truck {sale['truck_id']}"
    say(f"{sold}, {shown(sale['sold_at'])}, is a sale now. `t3 rejects undo {file_id} {row_number}` takes it back.")


def dismiss(file_id: int, row_number: int, why: str, by: str) -> None:
    """Say that a reject is no sale."""
    with session("database"):
        repairs.dismiss(file_id, row_number, actor=by or account(), why=why)
    say(f"Dismissed. `t3 rejects undo {file_id} {row_number}` takes it back.")


def undo(file_id: int, row_number: int, why: str, by: str) -> None:
    """Take the latest decision on a reject back."""
    with session("database"):
        was = repairs.undo(file_id, row_number, actor=by or account(), why=why)
    say(f"Taken back: {was}.")


def replay(reason: str | None, truck: int | None, days: str, why: str, by: str, as_json: bool) -> None:
    """Judge open rejects by the present rules."""
    first, last = _days(days)
    with session("database"):
        done = rejudging.replay(actor=by or account(), why=why, reason=reason, truck=truck, first=first, last=last)
    if as_json:
        print_json(vars(done))
        return
    say(f"{done.judged:,} open rejects judged: {done.accepted:,} are sales now, {pounds(done.pence)}.")


def _days(text: str) -> tuple[date | None, date | None]:
    return days_of(text, "--date") if text else (None, None)


def _pence(text: str) -> int | None:
    if not text:
        return None
    pence, _, _ = parse_pence(text)
    if pence is None:
        raise RefusedError(f"--total {text!r} is not an amount: write it like 4.99.")
    return pence


def _moment(text: str) -> datetime | None:
    """A time option, local unless it has an offset. Raises WrongUseError."""
    if not text:
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        raise WrongUseError(f"--at {error}") from None
