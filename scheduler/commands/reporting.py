"""`t3 report`: the daily report, made and sent."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from scheduler import kernels, queue, schedule, stages
from scheduler.commands.making import day_of
from scheduler.commands.output import as_json as print_json
from scheduler.commands.output import open_in_browser, say
from scheduler.commands.session import session
from t3lib import mail, warehouse
from t3lib.business_day import today
from t3lib.problems import WrongUseError
from t3lib.report import delivery
from t3lib.report.edition import editions
from t3lib.settings import settings

_MAILS = sa.text("""
    SELECT recipient, state, reply FROM ops.mail_outbox
    WHERE report = 'daily' AND business_date = :day AND edition = :edition
    ORDER BY revision DESC, recipient
""")


def report(day: str, edition: str, preview: bool, again: bool, as_json: bool) -> None:
    """Make each wanted edition of a business day; raises SystemExit(1) when a mail did not leave."""
    wanted = _editions(edition)
    when = day_of(day, "--date") if day else today() - timedelta(days=1)
    with session("database", "smtp"):
        kernels.warm()
        made = [_preview(when, name) for name in wanted] if preview else send(when, wanted, again=again)
    if as_json:
        print_json(made)
    for line in made if not as_json else []:
        say(", ".join(f"{name} {value}" for name, value in line.items()))
    if any(line.get("state") in ("failed", "unknown") for line in made):
        raise SystemExit(1)


def send(day: date, wanted: list[str], *, again: bool = False) -> list[dict[str, Any]]:
    """Run, prepare and send editions through the queue; one mapping per mail with its state."""
    with queue.working():
        suffix = uuid4().hex[:6] if again else ""
        runs = [queue.enqueue_report(day.isoformat(), name, again=suffix) for name in wanted]
        for run in runs:
            queue.wait(run)
    mail.send_due()
    with warehouse.connect() as db:
        return [
            {"date": day.isoformat(), "edition": name, **row}
            for name in wanted
            for row in db.execute(_MAILS, {"day": day, "edition": name}).mappings()
        ]


def resend(mail_id: int) -> None:
    """Send one mail again because a person says so."""
    with session("database", "smtp"):
        with warehouse.connect() as db:
            mail.resend(db, mail_id)
        say(", ".join(f"{state} {count}" for state, count in mail.send_due().items() if count) or "Nothing was due.")


def scheduled() -> list[str]:
    """The editions that the schedule names."""
    return list(schedule.load().reports)


def _editions(edition: str) -> list[str]:
    if edition and edition not in editions():
        raise WrongUseError(f"--edition {edition!r} is not known: choose one of {', '.join(editions())}.")
    return [edition] if edition else scheduled()


def _preview(day: date, edition: str) -> dict[str, str]:
    os.environ["T3_EDITED_NOTEBOOKS"] = "1"  # who previews wants to see what he edits
    settings.cache_clear()
    run = stages.run_report(day.isoformat(), edition)
    html, eml = delivery.preview(Path(run.path))
    open_in_browser(html.as_uri())
    return {"edition": edition, "html": str(html), "eml": str(eml)}
