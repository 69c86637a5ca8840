"""Mail addresses: one reader is one address, however it is written; a wrong address says why it is wrong."""

import re
from dataclasses import dataclass
from email.headerregistry import Address as Header
from functools import lru_cache

LONGEST = 254  # of an address, by RFC 5321
# A header that Python folds loses its quotes (as of 3.13), and each comma of the name would begin another mailbox.
LONGEST_QUOTED = 68
# Parts between commas or semicolons; those inside quotes divide nothing.
_PARTS = re.compile(r'(?:[^,;"]|"[^"]*"|")+')
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Address:
    """An address as somebody wrote it. `mailbox` is what a mail server gets: its domain lower-case and in punycode, ""
    where `wrong` says why there is none. `text` is how it was written, fit to be shown and stored."""

    text: str
    mailbox: str = ""
    name: str = ""
    wrong: str = ""

    @property
    def reader(self) -> str:
        """The same for every spelling of an address; case does not count, as on nearly every server."""
        return (self.mailbox or self.text).lower()

    @property
    def key(self) -> str:
        """How the outbox names it."""
        return self.mailbox or self.text

    @property
    def header(self) -> str:
        """As one mailbox in a header: its name quoted where that is needed, or left out where it is too long for it."""
        username, _, domain = self.mailbox.rpartition("@")
        named = str(Header(self.name, username, domain))
        return self.mailbox if named.startswith('"') and len(named) > LONGEST_QUOTED else named

    @property
    def why(self) -> str:
        """In a sentence, why no mail can reach it."""
        return f"{self.text!r} is not a mail address ({self.wrong.rstrip('.')})"


def split(text: str) -> tuple[str, ...]:
    """The addresses of a list, commas or semicolons between them."""
    return tuple(part.strip() for part in _PARTS.findall(text) if part.strip())


def sender(text: str) -> str:
    """A sender as exactly one mailbox, fit for a header. Raises ValueError saying what to write."""
    found = parse(text)
    if found.wrong:
        raise ValueError(f"{found.why}; write one, like: T3 reports <reports@company.example>")
    if not found.mailbox.isascii():
        raise ValueError(f"{found.text!r} needs plain letters (a-z) before the @: not every server takes others")
    if found.name and found.header == found.mailbox:
        raise ValueError(f"{found.text!r} has too long a name with a comma or the like in it; write a shorter one")
    return found.header


@lru_cache(maxsize=4096)
def parse(text: str) -> Address:
    """An address as it is written, with or without a name; never raises."""
    shown = printable(text.strip())[:LONGEST]
    try:
        if shown != text.strip():
            raise ValueError("it is too long, or holds a line break or another control character")
        name, address = _named(shown)
        return Address(shown, _mailbox(address), name)
    except ValueError as error:
        return Address(shown, wrong=str(error))


def printable(text: str) -> str:
    """A text without what breaks a line, a header or a database."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _named(text: str) -> tuple[str, str]:
    """(display name, address)."""
    found = _NAMED.fullmatch(text)
    if found is None:
        return "", text
    name = found["name"].strip()
    if _QUOTED.fullmatch(name):
        return re.sub(r"\\(.)", r"\1", name[1:-1]), found["address"].strip()
    if "@" in name:
        raise ValueError("it names two addresses")
    return name, found["address"].strip()


def _mailbox(address: str) -> str:
    # Imported here: most processes send no mail, and it takes 60 ms.
    import email_validator

    # The company's own server may serve such domains (root@localhost, ops@till.local).
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    found = email_validator.validate_email(address, check_deliverability=False, globally_deliverable=False)
    return f"{found.local_part}@{found.ascii_domain}"
