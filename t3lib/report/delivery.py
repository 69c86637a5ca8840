"""From an executed report to mails in the outbox, or to files for a look."""

import base64
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from t3lib import mail, warehouse
from t3lib.report.edition import edition
from t3lib.report.exporter import ReportError, render
from t3lib.report.message import build, compose
from t3lib.settings import SettingsError

REPORT = "daily"


def prepare_report(
    executed: Path | str,
    business_date: date,
    edition_name: str,
    run_id: str | None = None,
    *,
    revision: int = 1,
    url: str | None = None,
) -> list[int]:
    """mail_ids in the outbox, one per recipient of the edition; asking twice gives the same mails.

    Raises ReportError when the executed copy failed or is of another day or edition."""
    addresses = edition(edition_name).addresses
    if not addresses:
        raise SettingsError(
            f"Nobody gets the {edition_name} edition: set T3_{edition(edition_name).recipients.upper()}."
        )
    rendered = render(Path(executed))
    told = rendered.envelope
    if (told["business_date"], told["edition"]) != (business_date.isoformat(), edition_name):
        raise ReportError(f"{executed} is the {told['edition']} edition of {told['business_date']}.")
    message = compose(rendered, revision=revision)
    key = {"report": REPORT, "business_date": business_date, "edition": edition_name, "revision": revision}
    with warehouse.connect(url) as db:
        return [mail.prepare(db, message, address, run_id=run_id, **key) for address in addresses]


def preview(executed: Path) -> tuple[Path, Path]:
    """The mail as a page and as an .eml beside the executed copy; nothing is queued."""
    message = build(executed)
    message["Date"] = format_datetime(datetime.now(UTC))
    html, eml = executed.with_suffix(".html"), executed.with_suffix(".eml")
    html.write_text(browser_copy(message), encoding="utf-8")
    eml.write_bytes(message.as_bytes(policy=SMTP))
    return html, eml


def browser_copy(message: EmailMessage) -> str:
    """The HTML of a mail with its pictures inside, for a browser."""
    body = message.get_body(("html",))
    if body is None:
        raise ReportError("this mail has no HTML")
    html = body.get_content()
    for part in message.walk():
        if cid := (part["Content-ID"] or "").strip("<>"):
            picture = base64.b64encode(part.get_content()).decode()
            html = html.replace(f'"cid:{cid}"', f'"data:image/png;base64,{picture}"')
    return html
