"""Delivery of one message to one recipient over SMTP, and its outcome."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from t3lib import addresses
from t3lib.addresses import Address
from t3lib.urls import scrubbed

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECONDS_FOR_A_REPLY = 30.0
REPLIES_PER_PHASE = 4  # the session, and then the envelope, may take as long as this many slow replies
# RFC 5321 4.5.3.2.6 gives a server ten minutes to answer the final dot; giving up leaves a mail `unknown`.
SECONDS_FOR_ACCEPTANCE = 600.0

State = Literal["sent", "retry", "failed", "unknown"]
_STATES: dict[int, State] = {2: "sent", 4: "retry", 5: "failed"}  # by the first digit of the server's reply


@dataclass(frozen=True)
class Outcome:
    """The state of a mail after one attempt, and the server's reply."""

    state: State
    reply: str


class _RefusedError(Exception):
    """The server answered, and the answer was no."""


def deliver(
    url: str,
    sender: str,
    recipient: str,
    message: bytes,
    *,
    reply_seconds: float = SECONDS_FOR_A_REPLY,
    acceptance_seconds: float = SECONDS_FOR_ACCEPTANCE,
    begin: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Hand over one message; never raises, whatever the server, the network or the address does.

    Before the message itself every error is `retry`, except for a 5xx to sender or recipient and for an address that
    no mail, or not this server, can reach (`failed`). From its first byte on only the server's reply counts: without
    one the mail is `unknown`. `begin` is called before that byte; if it returns False, nothing is handed over."""
    by, to, content = addresses.parse(sender), addresses.parse(recipient), _dotted(message)
    for address in (by, to):
        if address.wrong:
            return Outcome("failed", address.why)
    try:
        client = _session(urlsplit(url), reply_seconds)
    except Exception as error:
        return Outcome("retry", _error_text(error))
    try:
        with _within(client, REPLIES_PER_PHASE * reply_seconds):
            refused = _envelope(client, by, to, begin)
        if refused:
            return refused
        with _within(client, acceptance_seconds + REPLIES_PER_PHASE * reply_seconds):
            return _content(client, content, acceptance_seconds)
    except Exception as error:  # no thread could be started for the time limit: nothing was handed over
        return Outcome("retry", _error_text(error))
    finally:
        with contextlib.suppress(Exception):  # the outcome is known
            if client.sock:
                client.sock.settimeout(min(reply_seconds, 5))
            client.quit()
        client.close()


def _session(url: SplitResult, reply_seconds: float) -> smtplib.SMTP:
    """A greeted, encrypted (where offered) and logged-in connection."""
    host, tls, own = url.hostname or "localhost", ssl.create_default_context(), url.scheme == "smtps"
    client = smtplib.SMTP_SSL(timeout=reply_seconds, context=tls) if own else smtplib.SMTP(timeout=reply_seconds)
    # The host whose certificate is checked: connect() does not keep it.
    client._host = host  # type: ignore[attr-defined]  # private: the stubs lack it
    try:
        with _within(client, REPLIES_PER_PHASE * reply_seconds):
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
    """Cut the connection after so many seconds, whatever arrives: each byte alone would renew a socket's timeout."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            if client.sock:
                client.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _envelope(client: smtplib.SMTP, by: Address, to: Address, begin: Callable[[], bool]) -> Outcome | None:
    """MAIL, RCPT and DATA, each reply checked; None when the message may follow."""
    options = [] if to.mailbox.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
    if options and not client.has_extn("smtputf8"):
        words = "has other than plain letters before the @, which the mail server does not take (no SMTPUTF8)"
        return Outcome("failed", f"{to.mailbox} {words}: use another address of this reader")
    try:
        _expect(client.mail(by.mailbox, options), 250)
        _expect(client.rcpt(to.mailbox), 250, 251)
        if not begin():
            return Outcome("retry", "not begun: the database did not answer, or another sender has this mail")
        _expect(client.docmd("DATA"), 354)
    except _RefusedError as refusal:
        return Outcome("failed" if str(refusal).startswith("5") else "retry", str(refusal))
    except Exception as error:
        return Outcome("retry", _error_text(error))
    return None


def _content(client: smtplib.SMTP, content: bytes, acceptance_seconds: float) -> Outcome:
    """The message itself, and the server's reply."""
    try:
        if client.sock:
            client.sock.settimeout(acceptance_seconds)
        client.send(content)
        code, text = client.getreply()
    except Exception as error:
        return Outcome("unknown", f"no answer to the message: {_error_text(error)}")
    return Outcome(_STATES.get(code // 100, "unknown"), _reply(code, text))


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    if answer[0] not in codes:
        raise _RefusedError(_reply(*answer))


def _dotted(message: bytes) -> bytes:
    """The message as DATA requires it: CRLF lines, leading dots doubled, a dot at the end."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    body = re.sub(rb"(?m)^\.", b"..", lines)
    return body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _reply(code: int, text: bytes) -> str:
    return addresses.printable(scrubbed(f"{code} {text.decode('utf-8', 'replace')}")).strip()[:500]


def _error_text(error: Exception) -> str:
    """An error as text; of T3's own errors only the type, as their text may hold a part of the password."""
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _reply(error.smtp_code, text if isinstance(text, bytes) else str(text).encode())
    if isinstance(error, OSError | smtplib.SMTPException):
        return addresses.printable(scrubbed(f"{type(error).__name__}: {error}"))[:500]
    return f"T3 could not talk to the mail server ({type(error).__name__}): look at T3_SMTP_URL"
