"""`t3 status`: a summary."""

from datetime import datetime

from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, shown
from t3lib.money import pounds


def status(json: Json = False) -> None:
    """Summarise files, rows, runs and mails.

    Example: t3 status --json"""
    from scheduler import schedule
    from scheduler.cli.session import session
    from scheduler.worker import readiness
    from t3lib import warehouse
    from t3lib.editions import wrong_addresses
    from t3lib.warehouse.files import status as status_of_files

    with session("database"), warehouse.connect() as db:
        found = status_of_files.summary(db) | {"waiting": readiness.waiting_reports(db, schedule.load())}
    found |= {"wrong_addresses": wrong_addresses()}
    if json:
        print_json(found)
        return
    for name in ("files", "rejected", "batches", "runs", "mails"):
        counts = ", ".join(f"{state} {count:,}" for state, count in found[name].items()) or "none"
        out().print(f"{name:>14}  {counts}")
    for name in ("rows_read", "rows_loaded", "rows_rejected"):
        out().print(f"{name.replace('_', ' '):>14}  {found[name]:,}")
    out().print(f"{'gross sales':>14}  {pounds(found['pence_loaded'])}")
    for name in ("first_sale_at", "last_sale_at"):
        moment = shown(datetime.fromisoformat(found[name])) if found[name] else "none"
        out().print(f"{name.removesuffix('_at').replace('_', ' '):>14}  {moment}")
    for report in found["waiting"]:
        waits = f"waits for {report['waits_for']}, at most until {report['until']}" if report["waits_for"] else "is due"
        out().print(f"{'report':>14}  {report['edition']} of {report['business_date']} {waits} (from {report['from']})")
    for wrong in found["wrong_addresses"]:
        out().print(f"{'address':>14}  {wrong}", markup=False, soft_wrap=True)
