"""The inbox page: a list of the mails and a view of each, without scripts."""

import re
import threading
from collections.abc import Callable
from email.message import EmailMessage
from html import escape
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

from scheduler.embedded.inbox import mailbox
from scheduler.http.small_server import SmallHandler, SmallServer

PER_PAGE = 50
_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
# The mail in its frame: only its own pictures and styles; links open in a new tab.
_MAIL_POLICY = (
    "default-src 'none'; img-src {origin}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
# Shown as pictures; every other part can only be saved.
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def serve(folder: Path, port: int, zone: ZoneInfo) -> ThreadingHTTPServer:
    """Serve the mails of a folder on a loopback port, in a thread."""
    server = _Server(("127.0.0.1", port), _Handler)
    server.folder, server.zone = folder, zone
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class _Server(SmallServer):
    folder: Path
    zone: ZoneInfo


class _Handler(SmallHandler):
    """Answers requests, each with a Content-Security-Policy."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self) -> None:
        address = urlsplit(self.path)
        route = [part for part in address.path.split("/") if part]
        match route:
            case ["healthz"]:
                return self._send(HTTPStatus.OK, "text/plain", b"t3 inbox")
            case []:
                return self._page(_list(self.server.folder, _number(address.query), self.server.zone))
            case ["mail", name, *rest] if file := mailbox.path(self.server.folder, name):
                return self._mail(file, rest)
        self._missing()

    def _mail(self, file: Path, rest: list[str]) -> None:
        mail = mailbox.read(file)
        match rest:
            case []:
                self._page(_one(mail, file.name, "html" if mailbox.html(mail) is not None else "text"))
            case [("text" | "headers") as view]:
                self._page(_one(mail, file.name, view))
            case ["html"]:
                origin = f"http://{self.headers['Host']}"
                body = _framed(mail, f"{origin}/mail/{file.name}")
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", body, _MAIL_POLICY.format(origin=origin))
            case ["eml"]:
                self._save(file.read_bytes(), "message/rfc822", file.name)
            case ["part", number] if number.isdecimal() and int(number) < len(mailbox.parts(mail)):
                self._part(mailbox.parts(mail)[int(number)], number)
            case _:
                self._missing()

    def _part(self, part: EmailMessage, number: str) -> None:
        kind = part.get_content_type()
        if kind in _PICTURES and part.get_content_disposition() != "attachment":
            return self._send(HTTPStatus.OK, kind, mailbox.content(part))
        self._save(mailbox.content(part), "application/octet-stream", part.get_filename() or f"part-{number}")

    def _save(self, data: bytes, kind: str, name: str) -> None:
        disposition = f"attachment; filename*=UTF-8''{quote(Path(name).name, safe='')}"
        self._send(HTTPStatus.OK, kind, data, disposition=disposition)

    def _missing(self) -> None:
        self._page(_shell("Not found", "<main><h1>Not found</h1><p><a href='/'>Inbox</a></p></main>"), 404)

    def _page(self, html: str, status: int = 200) -> None:
        self._send(HTTPStatus(status), "text/html; charset=utf-8", html.encode("utf-8", "replace"))

    def _send(
        self, status: HTTPStatus, kind: str, body: bytes, policy: str = _PAGE_POLICY, disposition: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        if disposition:
            self.send_header("Content-Disposition", disposition)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _number(query: str) -> int:
    given = parse_qs(query).get("page", ["1"])[0]
    return max(int(given), 1) if given.isdecimal() and len(given) < 7 else 1


def _list(folder: Path, number: int, zone: ZoneInfo) -> str:
    names = mailbox.names(folder)
    shown = names[(number - 1) * PER_PAGE : number * PER_PAGE]
    rows = "".join(_row(mailbox.summary(folder / name), zone) for name in shown)
    if not names:
        rows = "<li class=empty>No mail yet. While no mail server is configured, T3's mails arrive here.</li>"
    older = f"<a href='/?page={number + 1}'>Older</a>" if number * PER_PAGE < len(names) else ""
    newer = f"<a href='/?page={number - 1}'>Newer</a>" if number > 1 else ""
    count = f"{len(names):,} mail{'' if len(names) == 1 else 's'}"
    body = (
        f"<main><header class=top><h1>Inbox</h1><p>{count}, stored on this machine; none was forwarded.</p></header>"
        f"<ol class=list>{rows}</ol><nav class=pages>{newer}{older}</nav></main>"
    )
    return _shell("Inbox", body, refresh=number == 1)


def _row(mail: mailbox.Summary, zone: ZoneInfo) -> str:
    clip = f"<span class=clip>{mail.attachments} attached</span>" if mail.attachments else ""
    return (
        f"<li><a href='/mail/{mail.name}'><span class=who>{escape(mail.recipients)}</span>"
        f"<time datetime='{mail.arrived.isoformat()}'>{mail.arrived.astimezone(zone):%a %d %b, %H:%M}</time>"
        f"<span class=subject>{escape(mail.subject)}</span>"
        f"<span class=last><span class=preview>{escape(mail.preview)}</span>{clip}</span></a></li>"
    )


def _one(mail: EmailMessage, name: str, view: str) -> str:
    has_html = mailbox.html(mail) is not None
    tabs = [("html", "Mail", "")] if has_html else []
    tabs += [("text", "Plain text", "/text"), ("headers", "Headers", "/headers")]
    links = "".join(
        f"<a href='/mail/{name}{path}'{' aria-current=page' if key == view else ''}>{label}</a>"
        for key, label, path in tabs
    )
    saved = "".join(
        f"<a class=file href='/mail/{name}/part/{n}' download>{escape(part.get_filename() or f'part {n}')}"
        f"<small>{_size(len(mailbox.content(part)))}</small></a>"
        for n, part in mailbox.attachments(mail)
    )
    facts = "".join(
        f"<dt>{label}</dt><dd>{escape(value)}</dd>"
        for label in ("From", "To", "Cc", "Date")
        if (value := mailbox.header(mail, label))
    )
    subject = mailbox.header(mail, "Subject") or "(no subject)"
    body = (
        f"<main class=mail><a class=back href='/'>Inbox</a><h1>{escape(subject)}</h1><dl>{facts}</dl>"
        f"<div class=files>{saved}<a class=file href='/mail/{name}/eml' download>Save as .eml</a></div>"
        f"<nav class=tabs aria-label='Views of the mail'>{links}</nav>{_VIEWS[view](mail, name)}</main>"
    )
    return _shell(subject, body)


_VIEWS: dict[str, Callable[[EmailMessage, str], str]] = {
    "html": lambda mail, name: (
        f"<iframe title='The mail' src='/mail/{name}/html' sandbox='allow-popups allow-popups-to-escape-sandbox'>"
        "</iframe>"
    ),
    "text": lambda mail, name: f"<pre>{escape(mailbox.text(mail)) or 'This mail has no plain text.'}</pre>",
    "headers": lambda mail, name: (
        "<pre>" + escape("\n".join(f"{key}: {' '.join(str(v).split())}" for key, v in mail.raw_items())) + "</pre>"
    ),
}


def _framed(mail: EmailMessage, address: str) -> bytes:
    """The mail's HTML with the addresses of its pictures filled in; links open in a new tab."""
    places = {str(part.get("Content-ID", "")).strip().strip("<>"): n for n, part in enumerate(mailbox.parts(mail))}

    def picture(found: re.Match[str]) -> str:
        place = places.get(found[1])
        return found[0] if place is None else f"{address}/part/{place}"

    html = re.sub(r"cid:([^\"'\s>)]+)", picture, mailbox.html(mail) or "")
    base = "<base target='_blank'>"
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    html = html[: head.end()] + base + html[head.end() :] if head else base + html
    return html.encode("utf-8", "replace")


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 1000 else f"{count / 1000:,.0f} kB"


def _shell(title: str, body: str, refresh: bool = False) -> str:
    again = "<meta http-equiv=refresh content=10>" if refresh else ""
    return (
        "<!doctype html><html lang=en-GB><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        "<meta name=color-scheme content='light dark'>"
        f"{again}<title>{escape(title)} · T3</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
