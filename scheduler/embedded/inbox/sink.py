"""The SMTP server: every accepted mail is an .eml file, complete and on disk before the sender gets the 250."""

import errno
import hmac
import itertools
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

MAX_BYTES = 32 * 2**20
_numbers = itertools.count()


def serve(folder: Path, port: int, user: str, password: str) -> Controller:
    """Accept mail on a loopback port, in a thread, from senders who log in."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.login == user.encode()
        # handled=False: the server is to answer the client itself.
        return AuthResult(success=right and hmac.compare_digest(given.password, password.encode()), handled=False)

    controller = Controller(
        _Receiver(folder),
        hostname="127.0.0.1",
        port=port,
        authenticator=authenticate,
        auth_required=True,
        # The password travels over loopback only.
        auth_require_tls=False,
        data_size_limit=MAX_BYTES,
        enable_SMTPUTF8=True,
        ident="T3 inbox",
    )
    controller.start()
    return controller


def store(folder: Path, sender: str, recipients: list[str], content: bytes) -> Path:
    """Write one mail with its envelope as the first headers, as mail servers do; file names sort by arrival."""
    envelope = f"Return-Path: <{sender}>\r\n" + "".join(f"Delivered-To: {name}\r\n" for name in recipients)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    path = folder / f"{stamp}-{next(_numbers):06d}.eml"
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("xb") as file:
            file.write(envelope.encode("utf-8", "surrogateescape") + content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


class _Receiver:
    """Stores each mail that aiosmtpd has received."""

    def __init__(self, folder: Path):
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        try:
            store(self.folder, envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            return "452 4.3.1 The disk of the inbox is full" if full else "451 4.3.0 The mail cannot be stored"
        return "250 2.0.0 Stored"
