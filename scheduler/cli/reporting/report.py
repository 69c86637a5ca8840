"""`t3 report`: makes and sends reports."""

import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import Json
from scheduler.cli.output import open_in_browser, print_json, say
from t3lib.problems import WrongUseError

_MAILS = """
    SELECT recipient, state, reply FROM ops.mail_outbox
    WHERE report = :report AND business_date = :day AND edition = :edition
    ORDER BY revision DESC, recipient
"""


def report(
    date: Annotated[
        str,
        typer.Option(help="Business day, YYYY-MM-DD, or a day of the week or month; by default the latest complete."),
    ] = "",
    edition: Annotated[
        str, typer.Option(help="An edition of notebooks/editions.toml; by default all daily ones.")
    ] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Only write the mail beside the executed notebook, and open it.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run it again; changed figures are sent as a correction.")
    ] = False,
    to: Annotated[str, typer.Option(help="Send only a trial, to this address of T3_MAIL_TRIALS (me: its first).")] = "",
    json: Json = False,
) -> None:
    """Make a report and send it.

    Example: t3 report --date 2026-11-05 --edition cfo --preview"""
    from scheduler import kernels
    from scheduler.cli.session import session

    wanted = _editions(edition)
    when = day_of(date, "--date") if date else None
    with session("database", "smtp"):
        kernels.warm()
        if preview:
            made = [_preview(_last(when, name), name) for name in wanted]
        elif to:
            made = [_trial(_last(when, name), name, to) for name in wanted]
        else:
            made = send(when, wanted, rerun=again)
    if json:
        print_json(made)
    for line in made if not json else []:
        say(", ".join(f"{name} {value}" for name, value in line.items()))
    if any(line.get("state") in ("failed", "unknown", "cancelled") for line in made):
        raise SystemExit(1)


def send(day: datetime.date | None, wanted: list[str], *, rerun: bool = False) -> list[dict[str, Any]]:
    """Run, prepare and send editions through the queue; one mapping per mail, with its state."""
    import sqlalchemy as sa

    from scheduler.queue import workflows
    from t3lib import mail, warehouse
    from t3lib.editions import editions

    days = {name: _last(day, name) for name in wanted}
    with workflows.working():
        run_name = uuid4().hex[:6] if rerun else ""
        runs = [workflows.enqueue_report(last.isoformat(), name, rerun=run_name) for name, last in days.items()]
        failed = [error for run in runs if (error := _failure(run))]
    mail.send_due()  # before the error: a failed edition must not hold up the others
    if failed:
        raise failed[0]
    with warehouse.connect() as db:
        return [
            {"date": last.isoformat(), "edition": name, **row}
            for name, last in days.items()
            for row in db.execute(
                sa.text(_MAILS), {"report": editions()[name].report, "day": last, "edition": name}
            ).mappings()
        ]


def _failure(run: str) -> Exception | None:
    """Wait for a report's workflow; returns its error, None if it succeeded."""
    from scheduler.queue import workflows

    try:
        workflows.wait(run)
    except Exception as error:
        return error
    return None


def scheduled() -> list[str]:
    """The daily editions."""
    from scheduler import schedule

    return list(schedule.load().daily)


def _last(day: datetime.date | None, name: str) -> datetime.date:
    """The last day of an edition's period: of the one that contains a day, or of the latest one that is over."""
    from t3lib.business_day import today
    from t3lib.editions import editions

    one = editions()[name]
    return one.latest(today()).last if day is None else one.finished_period(day, today()).last


def _editions(edition: str) -> list[str]:
    from t3lib.editions import editions

    if edition and edition not in editions():
        raise WrongUseError(f"--edition {edition!r} is not known: choose one of {', '.join(editions())}.")
    return [edition] if edition else scheduled()


def _preview(day: datetime.date, edition: str) -> dict[str, str]:
    from scheduler.queue import stages
    from t3lib.report.output import delivery

    run = stages.run_report(day.isoformat(), edition, edited=True)  # a preview is for seeing one's edits
    files = delivery.preview(Path(run.path))
    open_in_browser(files[0].as_uri())
    return {"edition": edition, **{file.suffix[1:]: str(file) for file in files}}


def _trial(day: datetime.date, edition: str, to: str) -> dict[str, str]:
    """Send one trial mail, of the notebook with its edits."""
    from scheduler.queue import stages
    from t3lib import mail, warehouse
    from t3lib.report.output import delivery

    address = delivery.trial_address(to)  # first: a wrong address should fail before the work
    run = stages.run_report(day.isoformat(), edition, edited=True)
    number = delivery.prepare_trial(Path(run.path), day, address)
    mail.send_due()
    with warehouse.connect() as db:
        sent, _ = mail.read(db, number)
    return {"date": day.isoformat(), "edition": edition, "recipient": address, "state": sent.state,
            "reply": sent.reply or ""}  # fmt: skip
