"""`t3 report`: the reports, made and sent."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from scheduler import kernels, schedule
from scheduler.commands.making import day_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import open_in_browser, say
from scheduler.commands.session import session
from scheduler.queue import stages, workflows
from t3lib import mail, warehouse
from t3lib.business_day import today
from t3lib.editions import editions
from t3lib.problems import WrongUseError
from t3lib.report.output import delivery

_MAILS = sa.text("""
    SELECT recipient, state, reply FROM ops.mail_outbox
    WHERE report = :report AND business_date = :day AND edition = :edition
    ORDER BY revision DESC, recipient
""")


def report(day: str, edition: str, preview: bool, again: bool, to: str, as_json: bool) -> None:
    """Make each wanted edition of a business day, or of the week or month it lies in; raises SystemExit(1) when a
    mail did not leave."""
    wanted = _editions(edition)
    when = day_of(day, "--date") if day else None
    with session("database", "smtp"):
        kernels.warm()
        if preview:
            made = [_preview(_last(when, name), name) for name in wanted]
        elif to:
            made = [_trial(_last(when, name), name, to) for name in wanted]
        else:
            made = send(when, wanted, again=again)
    if as_json:
        print_json(made)
    for line in made if not as_json else []:
        say(", ".join(f"{name} {value}" for name, value in line.items()))
    if any(line.get("state") in ("failed", "unknown", "cancelled") for line in made):
        raise SystemExit(1)


def send(day: date | None, wanted: list[str], *, again: bool = False) -> list[dict[str, Any]]:
    """Run, prepare and send editions through the queue; one mapping per mail with its state."""
    days = {name: _last(day, name) for name in wanted}
    with workflows.working():
        suffix = uuid4().hex[:6] if again else ""
        runs = [workflows.enqueue_report(last.isoformat(), name, again=suffix) for name, last in days.items()]
        failed = [error for run in runs if (error := _failure(run))]
    mail.send_due()  # one edition that failed does not keep the others' readers waiting
    if failed:
        raise failed[0]
    with warehouse.connect() as db:
        return [
            {"date": last.isoformat(), "edition": name, **row}
            for name, last in days.items()
            for row in db.execute(_MAILS, {"report": editions()[name].report, "day": last, "edition": name}).mappings()
        ]


def _failure(run: str) -> Exception | None:
    """What a report's work ended with, once it is over."""
    try:
        workflows.wait(run)
    except Exception as error:
        return error
    return None


def drop(mail_id: int) -> None:
    """Cancel a correction that waits."""
    with session("database"), warehouse.connect() as db:
        dropped = mail.drop(db, mail_id)
    say(f"Dropped: the correction of the {dropped.edition} report of {dropped.business_date} is not sent.")


def resend(mail_id: int) -> None:
    """Send one mail again because a person says so."""
    with session("database", "smtp"):
        with warehouse.connect() as db:
            mail.resend(db, mail_id)
        say(", ".join(f"{state} {count}" for state, count in mail.send_due().items() if count) or "Nothing was due.")


def scheduled() -> list[str]:
    """The editions of every day."""
    return list(schedule.load().daily)


def _last(day: date | None, name: str) -> date:
    """The last day of what an edition tells: of the period that a day lies in, or of the latest one that is over."""
    one = editions()[name]
    return one.latest(today()).last if day is None else one.over(day, today()).last


def _editions(edition: str) -> list[str]:
    if edition and edition not in editions():
        raise WrongUseError(f"--edition {edition!r} is not known: choose one of {', '.join(editions())}.")
    return [edition] if edition else scheduled()


def _preview(day: date, edition: str) -> dict[str, str]:
    run = stages.run_report(day.isoformat(), edition, edited=True)  # who previews wants to see what he edits
    files = delivery.preview(Path(run.path))
    open_in_browser(files[0].as_uri())
    return {"edition": edition, **{file.suffix[1:]: str(file) for file in files}}


def _trial(day: date, edition: str, to: str) -> dict[str, str]:
    """One copy to somebody who tries the report out, of the notebook as it stands."""
    address = delivery.trial_address(to)  # before the work, not after it
    run = stages.run_report(day.isoformat(), edition, edited=True)
    number = delivery.prepare_trial(Path(run.path), day, address)
    mail.send_due()
    with warehouse.connect() as db:
        sent, _ = mail.read(db, number)
    return {"date": day.isoformat(), "edition": edition, "recipient": address, "state": sent.state,
            "reply": sent.reply or ""}  # fmt: skip
