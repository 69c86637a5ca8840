"""From an executed report to mails in the outbox, or to preview files."""

import base64
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from t3lib import addresses, mail, warehouse
from t3lib.editions import edition
from t3lib.mail.outbox import TRIAL, ReportKey
from t3lib.report.output.exporter import Rendered, ReportError, render
from t3lib.report.output.message import build, compose, html_part
from t3lib.settings import SettingsError, settings

_HIGHEST = sa.text("""
    SELECT revision, max(gross_sales_pence), max(transactions), max(contribution_pence) FROM ops.mail_outbox
    WHERE report = :report AND business_date = :business_date AND edition = :edition
    GROUP BY revision ORDER BY revision DESC LIMIT 1""")
_SUPERSEDE = sa.text("""
    UPDATE ops.mail_outbox SET state = 'cancelled', reply = 'figures moved again', finished_at = now()
    WHERE report = :report AND business_date = :business_date AND edition = :edition AND revision < :revision
      AND (state = 'waiting' OR (state IN ('prepared', 'retry') AND NOT :waits))""")
_TRIALS = sa.text("SELECT count(*) FROM ops.mail_outbox WHERE report = :trial AND business_date = :day")


def prepare_report(
    executed: Path | str,
    business_date: date,
    edition_name: str,
    run_id: str | None = None,
    *,
    ask: bool = False,
    url: str | None = None,
) -> list[int]:
    """mail_ids in the outbox, one per reader of the edition; calling it twice gives the same mails.

    Where the figures differ from the earlier mails', a new revision is made, marked as corrected; with `ask` it waits
    for an operator. Raises ReportError when the executed notebook failed or is of another day or edition."""
    one = edition(edition_name)
    if not one.addresses:
        raise SettingsError(f"Nobody gets the {edition_name} edition: set {one.variable}.")
    rendered = _render_report(Path(executed), business_date, edition_name)
    headline = rendered.envelope["headline"]
    key = ReportKey(report=one.report, business_date=business_date, edition=edition_name)
    with warehouse.connect(url) as db:
        revision = _revision(db, key, headline)
        message, waits = compose(rendered, revision=revision), ask and revision > 1
        db.execute(_SUPERSEDE, {**key, "revision": revision, "waits": waits})
        state = "waiting" if waits else "prepared"
        store = partial(mail.prepare, **key, revision=revision, run_id=run_id, state=state, headline=headline)
        return list(dict.fromkeys(store(db, message, address) for address in one.addresses))


def prepare_trial(executed: Path, business_date: date, address: str) -> int:
    """mail_id of a trial mail; it does not count as a report. Raises as `trial_address`."""
    address, rendered = trial_address(address), render(executed)
    message = compose(rendered, trial=True)
    with warehouse.connect() as db:
        number = db.execute(_TRIALS, {"trial": TRIAL, "day": business_date}).scalar_one() + 1
        key = ReportKey(report=TRIAL, business_date=business_date, edition=rendered.envelope["edition"])
        return mail.prepare(db, message, address, **key, revision=number)


def trial_address(text: str) -> str:
    """Who gets a trial: an address of T3_MAIL_TRIALS, or "me" for the first. Raises SettingsError for another."""
    allowed = [addresses.parse(address) for address in settings().mail_trials]
    wanted = allowed[0] if text == "me" and allowed else addresses.parse(text)
    found = next((address for address in allowed if address.reader == wanted.reader), None)
    if found is None:
        raise SettingsError(f"Trials do not go to {wanted.text!r}: T3_MAIL_TRIALS lists who may get them.")
    if found.wrong:
        raise SettingsError(f"T3_MAIL_TRIALS: {found.why}; correct it there.")
    return found.mailbox


def preview(executed: Path) -> tuple[Path, ...]:
    """The mail as a page and as an .eml beside the executed notebook, and its PDF if it has one; nothing is queued."""
    message = build(executed)
    message["Date"] = format_datetime(datetime.now(UTC))
    html, eml = executed.with_suffix(".html"), executed.with_suffix(".eml")
    html.write_text(browser_copy(message), encoding="utf-8")
    eml.write_bytes(message.as_bytes(policy=SMTP))
    made = [html, eml]
    for part in message.iter_attachments():
        if part.get_content_type() == "application/pdf":
            made.append(executed.with_suffix(".pdf"))
            made[-1].write_bytes(part.get_content())
    return tuple(made)


def browser_copy(message: EmailMessage) -> str:
    """The HTML of a mail with its pictures inside, for a browser."""
    html = html_part(message).get_content()
    for part in message.walk():
        if cid := (part["Content-ID"] or "").strip("<>"):
            picture = base64.b64encode(part.get_content()).decode()
            html = html.replace(f'"cid:{cid}"', f'"data:image/png;base64,{picture}"')
    return html


def _render_report(executed: Path, business_date: date, edition_name: str) -> Rendered:
    """The parts of a report's mail. Raises ReportError for a report of another day or edition."""
    rendered = render(executed)
    day, name = rendered.envelope["business_date"], rendered.envelope["edition"]
    if (day, name) != (business_date.isoformat(), edition_name):
        raise ReportError(f"{executed} is the {name} edition of {day}.")
    return rendered


def _revision(db: sa.Connection, key: ReportKey, headline: dict[str, int]) -> int:
    """The latest revision if it has the same figures, else the next one."""
    found = db.execute(_HIGHEST, key).one_or_none()
    if found is None:
        return 1
    revision, *sent, left = found
    same = sent == [headline["gross_sales_pence"], headline["transactions"]]
    same &= left in (None, headline.get("contribution_pence"))  # none: it was not known, or of an older version
    return revision if same or None in sent else revision + 1
