"""Reads the stored mails for the page."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path

_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}-\d{6}\.eml")


@dataclass(frozen=True)
class Summary:
    """One line of the list."""

    name: str
    subject: str
    recipients: str
    preview: str
    arrived: datetime
    attachments: int


def names(folder: Path) -> list[str]:
    """The stored mails, newest first."""
    return sorted((path.name for path in folder.glob("*.eml") if _NAME.fullmatch(path.name)), reverse=True)


def path(folder: Path, name: str) -> Path | None:
    """The file of a mail; None when no stored mail has this name."""
    found = folder / name if _NAME.fullmatch(name) else None
    return found if found and found.is_file() else None


@lru_cache(maxsize=32)
def read(file: Path) -> EmailMessage:
    """A mail, parsed and cached, as stored mails never change."""
    return BytesParser(policy=policy.default).parsebytes(file.read_bytes())


@lru_cache(maxsize=5000)
def summary(file: Path) -> Summary:
    """What the list shows of a mail."""
    mail = read(file)
    return Summary(
        file.name,
        header(mail, "Subject") or "(no subject)",
        ", ".join(name or address for name, address in getaddresses([header(mail, "To")])) or "(no recipient)",
        " ".join(text(mail).split())[:160],
        datetime.strptime(file.name[:22], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC),
        len(attachments(mail)),
    )


def header(mail: EmailMessage, name: str) -> str:
    """A header as one line; its raw text when it is malformed."""
    try:
        return " ".join(str(mail.get(name, "")).split())
    except Exception:
        # The parser of a malformed header may raise nearly anything.
        raw = next((value for key, value in mail.raw_items() if key.lower() == name.lower()), "")
        return " ".join(str(raw).split())


def text(mail: EmailMessage) -> str:
    """The plain part, empty when there is none."""
    part = mail.get_body(("plain",))
    return content(part).decode(errors="replace") if part else ""


def html(mail: EmailMessage) -> str | None:
    """The HTML part, None when there is none."""
    part = mail.get_body(("html",))
    return content(part).decode(errors="replace") if part else None


def parts(mail: EmailMessage) -> list[EmailMessage]:
    """Every leaf of the mail, in order; a part's address is its index in this list."""
    return [part for part in mail.walk() if not part.is_multipart()]


def attachments(mail: EmailMessage) -> list[tuple[int, EmailMessage]]:
    """(index, part) of each attachment."""
    return [(n, part) for n, part in enumerate(parts(mail)) if part.get_content_disposition() == "attachment"]


def content(part: MIMEPart) -> bytes:
    """The bytes of a part; text is converted to UTF-8, also from unknown charsets."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if part.get_content_maintype() != "text" or part.get_content_disposition() == "attachment":
        return data
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace").encode()
    except LookupError:
        return data.decode("utf-8", "replace").encode()
