"""One message to one recipient over SMTP, and what is then known about it."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from t3lib.urls import scrubbed

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECONDS_FOR_A_REPLY = 30.0
CHUNKS_OF_PATIENCE = 4  # for the session, and again for the envelope, all replies together
# RFC 5321 4.5.3.2.6 gives a server ten minutes to answer the final dot; giving up leaves a mail `unknown`.
SECONDS_FOR_ACCEPTANCE = 600.0


@dataclass(frozen=True)
class Outcome:
    """What is known of a mail after one attempt, and the server's words."""

    state: Literal["sent", "retry", "failed", "unknown"]
    reply: str


class _RefusedError(Exception):
    """The server answered, and the answer was no."""


def deliver(
    url: str,
    sender: str,
    recipient: str,
    message: bytes,
    *,
    patience: float = SECONDS_FOR_A_REPLY,
    acceptance: float = SECONDS_FOR_ACCEPTANCE,
) -> Outcome:
    """Hand over one message; never raises for what a server or network does.

    Up to the message itself every trouble is `retry`, but for a 5xx to sender or recipient (`failed`).
    From its first byte on only the server's answer tells: without one the mail is `unknown`."""
    try:
        client = _session(urlsplit(url), patience)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("retry", _words(error))
    try:
        with _within(client, CHUNKS_OF_PATIENCE * patience):
            refused = _envelope(client, parseaddr(sender)[1], recipient)
        if refused:
            return refused
        with _within(client, acceptance + CHUNKS_OF_PATIENCE * patience):
            return _content(client, message, acceptance)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.sock and client.sock.settimeout(min(patience, 5))
            client.quit()
        client.close()


def _session(url: SplitResult, patience: float) -> smtplib.SMTP:
    """A greeted, encrypted (where offered) and logged-in connection."""
    host, tls, own = url.hostname or "localhost", ssl.create_default_context(), url.scheme == "smtps"
    client = smtplib.SMTP_SSL(timeout=patience, context=tls) if own else smtplib.SMTP(timeout=patience)
    client._host = host  # whose certificate is wanted: connect() does not keep it
    try:
        with _within(client, CHUNKS_OF_PATIENCE * patience):
            if (answer := client.connect(host, url.port or (465 if own else 25)))[0] != 220:
                raise smtplib.SMTPConnectError(*answer)
            client.ehlo_or_helo_if_needed()
            if not own and client.has_extn("starttls"):
                client.starttls(context=tls)
                client.ehlo()
            elif not own and url.username and host not in LOOPBACK:
                raise smtplib.SMTPException(f"{host} offers no STARTTLS, so the password was not sent")
            if url.username:
                client.login(unquote(url.username), unquote(url.password or ""))
    except Exception:
        client.close()
        raise
    return client


@contextlib.contextmanager
def _within(client: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Cut the connection after so many seconds, whatever trickles in: each byte alone would renew a timeout."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            client.sock and client.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _envelope(client: smtplib.SMTP, sender: str, recipient: str) -> Outcome | None:
    """MAIL, RCPT and DATA, each answer weighed for where it stands; None when the message may follow."""
    try:
        _expect(client.mail(sender), 250)
        _expect(client.rcpt(recipient), 250, 251)
        _expect(client.docmd("DATA"), 354)
    except _RefusedError as refusal:
        return Outcome("failed" if str(refusal).startswith("5") else "retry", str(refusal))
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("retry", _words(error))
    return None


def _content(client: smtplib.SMTP, message: bytes, acceptance: float) -> Outcome:
    """The message itself, and the server's word on it."""
    try:
        client.sock.settimeout(acceptance)
        client.send(_dotted(message))
        code, text = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("unknown", f"no answer to the message: {_words(error)}")
    state = {2: "sent", 4: "retry", 5: "failed"}.get(code // 100, "unknown")
    return Outcome(state, _reply(code, text))  # type: ignore[arg-type]


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    if answer[0] not in codes:
        raise _RefusedError(_reply(*answer))


def _dotted(message: bytes) -> bytes:
    """The message as DATA wants it: CRLF lines, leading dots doubled, a dot at the end."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    body = re.sub(rb"(?m)^\.", b"..", lines)
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _reply(code: int, text: bytes) -> str:
    return scrubbed(f"{code} {text.decode('utf-8', 'replace')}".strip())[:500]


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _reply(error.smtp_code, text if isinstance(text, bytes) else str(text).encode())
    return scrubbed(f"{type(error).__name__}: {error}")[:500]
