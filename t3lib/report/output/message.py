"""The mail of an executed report: mixed(alternative(plain, related(html, png...)), csv)."""

from email.message import EmailMessage, MIMEPart
from pathlib import Path
from urllib.parse import quote

from t3lib import addresses
from t3lib.editions import edition
from t3lib.report import words
from t3lib.report.output.exporter import Rendered, ReportError, render
from t3lib.report.output.message_rules import check
from t3lib.settings import settings


def build(executed: Path, *, revision: int = 1, trial: bool = False) -> EmailMessage:
    """The mail of an executed report for every reader: without To, Date and Message-ID, which the outbox adds.

    Raises ReportError for a notebook that failed, or whose mail would break one of `message_rules`."""
    return compose(render(executed), revision=revision, trial=trial)


def compose(rendered: Rendered, *, revision: int = 1, trial: bool = False) -> EmailMessage:
    """The same for a notebook that is already rendered."""
    message = _parts(rendered, corrected=revision > 1)
    before, after = "Trial: " if trial else "", " (corrected)" if revision > 1 else ""
    message["Subject"] = before + words.line(rendered.envelope["subject"]) + after
    message["From"] = settings().mail_from
    message["Auto-Submitted"] = "auto-generated"
    operators = [found for found in map(addresses.parse, settings().recipients_operations) if found.mailbox]
    for operator in operators[:1]:
        message["List-Unsubscribe"] = f"<mailto:{quote(operator.mailbox, safe='@')}?subject=unsubscribe>"
    for name, value in rendered.envelope["headline"].items():
        message[f"X-T3-{name.replace('_', '-').title()}"] = str(int(value))
    check(message)
    return message


def html_part(message: EmailMessage) -> MIMEPart:
    """The HTML of a mail. Raises ReportError where it has none."""
    html = message.get_body(("html",))
    if html is None:
        raise ReportError("this mail has no HTML")
    return html


def _parts(rendered: Rendered, *, corrected: bool) -> EmailMessage:
    message = EmailMessage()
    message.set_content(rendered.text, charset="utf-8", cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", charset="utf-8", cte="quoted-printable")
    html = html_part(message)
    for cid, png in rendered.pictures.items():
        html.add_related(png, "image", "png", cid=f"<{cid}>", filename=f"{cid}.png", disposition="inline")
    for name, text in rendered.envelope["csv"].items():
        # The byte order mark is what makes Excel read UTF-8.
        content = text.encode("utf-8-sig")
        message.add_attachment(content, "text", "csv", filename=words.line(name), params={"charset": "utf-8"})
    if edition(rendered.envelope["edition"]).pdf:
        from t3lib.report.output import pdf  # only editions with a PDF need the import

        content = pdf.document(rendered.notebook, rendered.envelope, corrected=corrected)
        name = f"t3-{rendered.envelope['business_date']}-{rendered.envelope['edition']}.pdf"
        message.add_attachment(content, "application", "pdf", filename=name)
    return message
