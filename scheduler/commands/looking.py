"""Commands that look and change nothing."""

import sys
from datetime import datetime

from rich.markup import escape

from scheduler import schedule
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import left_out, out, shown, table
from scheduler.commands.session import session
from scheduler.worker import readiness
from t3lib import mail as mails_module
from t3lib import warehouse
from t3lib.editions import wrong_addresses
from t3lib.money import pounds
from t3lib.problems import WrongUseError
from t3lib.warehouse.files import status as warehouse_status
from t3lib.warehouse.files.file_outcomes import OUTCOMES


def status(as_json: bool = False) -> None:
    """Print the summary of files, rows, runs and mails."""
    with session("database"), warehouse.connect() as db:
        found = warehouse_status.summary(db) | {"waiting": readiness.waiting_reports(db, schedule.load())}
    found |= {"wrong_addresses": wrong_addresses()}
    if as_json:
        print_json(found)
        return
    for name in ("files", "rejected", "batches", "runs", "mails"):
        counts = ", ".join(f"{state} {count:,}" for state, count in found[name].items()) or "none"
        out.print(f"{name:>14}  {counts}")
    for name in ("rows_read", "rows_loaded", "rows_rejected"):
        out.print(f"{name.replace('_', ' '):>14}  {found[name]:,}")
    out.print(f"{'gross sales':>14}  {pounds(found['pence_loaded'])}")
    for name in ("first_sale_at", "last_sale_at"):
        moment = shown(datetime.fromisoformat(found[name])) if found[name] else "none"
        out.print(f"{name.removesuffix('_at').replace('_', ' '):>14}  {moment}")
    for report in found["waiting"]:
        waits = f"waits for {report['waits_for']}, at most until {report['until']}" if report["waits_for"] else "is due"
        out.print(f"{'report':>14}  {report['edition']} of {report['business_date']} {waits} (from {report['from']})")
    for wrong in found["wrong_addresses"]:
        out.print(f"{'address':>14}  {escape(wrong)}", soft_wrap=True)


def files(state: str | None, truck: int | None, limit: int, as_json: bool) -> None:
    """Print the newest files of the ledger."""
    if state and state not in OUTCOMES:
        raise WrongUseError(f"--state {state!r} is not known: choose one of {', '.join(OUTCOMES)}.")
    with session("database"), warehouse.connect() as db:
        rows = warehouse_status.files(db, state, truck, limit)
        of_all = warehouse_status.count_files(db, state, truck)
    left_out(len(rows), of_all)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row["not_read"] = ", ".join(row["columns_not_read"])
    columns = {"key": "file", "state": "state", "rows_read": "read", "rows_loaded": "loaded",
               "rows_rejected": "rejected", "finished_at": "finished", "deleted_at": "deleted upstream",
               "not_read": "columns not read", "reason": "why"}  # fmt: skip
    chosen = bool(state or truck)
    table(rows, columns, "No such file." if chosen else "No file yet: drop one into the bucket and run `t3 ingest`.")


def mails(state: str | None, limit: int, as_json: bool) -> None:
    """Print the newest mails."""
    with session("database"), warehouse.connect() as db:
        rows = [vars(row) for row in mails_module.list_mails(db, state, limit=limit)]
        of_all = mails_module.count_mails(db, state)
    left_out(len(rows), of_all)
    if as_json:
        print_json(rows)
        return
    columns = {"mail_id": "mail", "state": "state", "recipient": "to", "subject": "subject",
               "finished_at": "finished", "reply": "server said"}  # fmt: skip
    table(rows, columns, "No mail yet.")


def mail(mail_id: int) -> None:
    """Print one mail's source."""
    with session("database"), warehouse.connect() as db:
        _, message = mails_module.read(db, mail_id)
    sys.stdout.buffer.write(message)
