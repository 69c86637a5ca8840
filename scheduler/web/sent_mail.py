"""Sent mail: every mail as its readers received it, beside the dashboard and under its access rules."""

import asyncio
import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from string import Template
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
import tornado.web
from jupyter_server.base.handlers import JupyterHandler

from t3lib import warehouse
from t3lib.editions import editions
from t3lib.problems import explain
from t3lib.report.output.delivery import browser_copy
from t3lib.settings import ROOT, SettingsError, settings

LIST, ONE = r"/mails", r"/mails/(\d{1,12})(?:/(html|part)(?:/(\d{1,2}))?)?"
PER_PAGE = 60
PAGE = ROOT / "t3lib" / "dashboard" / "template" / "voila" / "templates" / "t3" / "sent_mail.html"
_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; "
_POLICY += "form-action 'none'; frame-ancestors 'none'"
# The mail in its frame: only its own pictures and styles; links open in a new tab.
_MAIL_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
_MAIL_POLICY += "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"

_SENT = sa.text("""
    SELECT mail_id, report, business_date, edition, revision, subject, prepared_at FROM mart.mail
    WHERE :edition = '' OR edition = :edition
    ORDER BY prepared_at DESC, mail_id DESC LIMIT :limit OFFSET :skip""")
_ONE = sa.text("SELECT mail_id, edition, subject, prepared_at, message FROM mart.mail WHERE mail_id = :mail_id")


class _Handler(JupyterHandler):
    """Builds its answer in a thread; answers 503 while the database is not reachable."""

    async def _send(self, policy: str, make: Callable[..., str | None], *args: Any) -> None:
        self.set_header("Content-Security-Policy", policy)
        self.set_header("Cache-Control", "no-store")
        try:
            found = await asyncio.to_thread(make, *args)
        except sa.exc.SQLAlchemyError as error:
            self.set_status(503)
            found = _page("Reports by mail", f"<p>{escape(explain(error) or 'The database does not answer.')}</p>")
        if found is None:
            self.set_status(404)
            found = _page("No such mail", "<p>There is no sent mail with this number.</p>")
        self.finish(found)


class ListHandler(_Handler):
    """The list of sent mails, newest first."""

    @tornado.web.authenticated
    async def get(self) -> None:
        number = self.get_argument("page", "1")
        page = int(number) if number.isdecimal() and int(number[:6]) > 0 else 1
        await self._send(_POLICY, list_page, self.get_argument("edition", "")[:40], min(page, 100_000))


class MailHandler(_Handler):
    """One mail with its attachments, in a frame that runs no script and fetches nothing from other servers."""

    @tornado.web.authenticated
    async def get(self, mail_id: str, view: str | None = None, number: str | None = None) -> None:
        if view == "html":
            await self._send(_MAIL_POLICY, mail_html, int(mail_id))
        elif view == "part" and number is not None:
            await self._send_attachment(int(mail_id), int(number))
        else:
            await self._send(_POLICY, mail_page, int(mail_id))

    async def _send_attachment(self, mail_id: int, number: int) -> None:
        found = await asyncio.to_thread(_read, mail_id)
        files = _attachments(found[1]) if found else []
        if number >= len(files):
            await self._send(_POLICY, lambda: None)
            return
        self.set_header("Content-Type", files[number].get_content_type())
        self.set_header(
            "Content-Disposition", f"attachment; filename*=UTF-8''{quote(_filename(files[number]), safe='')}"
        )
        self.set_header("Cache-Control", "no-store")
        content = files[number].get_payload(decode=True)
        self.finish(content if isinstance(content, bytes) else b"")


def list_page(edition: str = "", page: int = 1) -> str:
    """The page that lists the mails of one edition, or of all."""
    parameters = {"edition": edition, "limit": PER_PAGE + 1, "skip": (page - 1) * PER_PAGE}
    with warehouse.connect() as db:
        rows = db.execute(_SENT, parameters).mappings().all()
    titles = _titles()
    items = "".join(_row(row, titles) for row in rows[:PER_PAGE])
    query = f"?edition={quote(edition)}&amp;page=" if edition else "?page="
    turns = [f'<a href="{query}{page - 1}">Newer</a>'] if page > 1 else []
    turns += [f'<a href="{query}{page + 1}">Older</a>'] if len(rows) > PER_PAGE else []
    choices = "".join(_choice(name, title, name == edition) for name, title in {"": "All", **titles}.items())
    body = f'<nav class="t3-editions" aria-label="Editions">{choices}</nav>'
    body += f'<ol class="t3-mails t3-card">{items}</ol>' if items else "<p>No report has been sent yet.</p>"
    return _page("Reports by mail", body + f'<nav class="t3-turns">{" ".join(turns)}</nav>', up="./", root="./")


def mail_page(mail_id: int) -> str | None:
    """The page around a mail; None when there is no such mail."""
    found = _read(mail_id)
    if found is None:
        return None
    row, message = found
    files = "".join(
        f'<a href="{mail_id}/part/{n}" download>{escape(_filename(part))}</a>'
        for n, part in enumerate(_attachments(message))
    )
    prepared = row["prepared_at"].astimezone(settings().zone)
    body = f'<p class="t3-fresh">Prepared at {prepared:%H:%M} on {prepared:%A} {prepared.day} {prepared:%B %Y}</p>'
    body += f'<nav class="t3-files" aria-label="Attachments">{files}</nav>'
    body += f'<iframe class="t3-mail t3-card" title="The mail" src="{mail_id}/html" sandbox="allow-popups '
    body += 'allow-popups-to-escape-sandbox"></iframe>'
    return _page(row["subject"], body)


def mail_html(mail_id: int) -> str | None:
    """A mail's HTML with its pictures embedded; None when there is no such mail."""
    found = _read(mail_id)
    if found is None:
        return None
    return re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', browser_copy(found[1]), count=1)


def _read(mail_id: int) -> tuple[Any, EmailMessage] | None:
    with warehouse.connect() as db:
        row = db.execute(_ONE, {"mail_id": mail_id}).mappings().one_or_none()
    return (row, message_from_bytes(bytes(row["message"]), policy=default)) if row else None


def _attachments(message: EmailMessage) -> list[EmailMessage]:
    return list(message.iter_attachments())


def _filename(part: EmailMessage) -> str:
    return part.get_filename() or "attachment"


def _titles() -> dict[str, str]:
    try:
        return {name: one.title for name, one in editions().items()}
    except SettingsError:
        return {}


def _choice(name: str, title: str, is_open: bool) -> str:
    current = ' aria-current="page"' if is_open else ""
    query = f"?edition={quote(name)}" if name else ""
    return f'<a href="mails{query}"{current}>{escape(title)}</a>'


def _row(row: Any, titles: dict[str, str]) -> str:
    prepared = row["prepared_at"].astimezone(settings().zone)
    corrected = ' <span class="t3-corrected">corrected</span>' if row["revision"] > 1 else ""
    return (
        f'<li><a href="mails/{row["mail_id"]}"><b>{escape(titles.get(row["edition"], row["edition"]))}</b>{corrected}'
        f"<span>{escape(row['subject'])}</span>"
        f'<time datetime="{prepared.isoformat()}">{prepared:%a} {prepared.day} {prepared:%b %Y, %H:%M}</time></a></li>'
    )


def _page(title: str, body: str, up: str = "../mails", root: str = "../") -> str:
    back = "Dashboard" if up == "./" else "All reports"
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(title), body=body, up=up, back=back, root=root
    )
