"""The fields of requests. A reader turns what a person typed into the value to store, and accepts that value too."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from t3lib import business_day
from t3lib.money import parse_pence
from t3lib.problems import RefusedError

LONGEST_KEY = 1024
_CODE = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)
Reader = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Field:
    """One field: its name, its label, its reader, and how it looks.

    look: 'fixed' (what the request is about), 'text', 'day', 'tick' or 'choice' (of `choices`: text by value)."""

    name: str
    label: str
    read: Reader
    look: str = "text"
    needed: bool = False
    choices: dict[str, str] | None = None
    hint: str = ""

    def value(self, given: Any) -> Any:
        """The value to store, None if empty. Raises RefusedError naming the field."""
        if given is None or (isinstance(given, str) and not given.strip()):
            if self.needed:
                raise RefusedError(f"{self.label} is missing.")
            return None
        if not isinstance(given, str | int | date):
            raise RefusedError(f"{self.label}: give one value, not {type(given).__name__}.")
        if self.choices is not None and given not in self.choices:
            raise RefusedError(f"{self.label}: choose one of {', '.join(self.choices)}.")
        return self.read(self.label, given)


def number(label: str, given: Any) -> int:
    """The number of a file, row, mail or truck."""
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) < 11) or int(text) >= 2**31:
        raise RefusedError(f"{label}: {text[:40]!r} is not a number.")
    return int(text)


def amount(label: str, given: Any) -> str:
    """Pounds as text, two places."""
    pence, _, _ = parse_pence(str(given))
    if pence is None or pence >= 2**31:
        raise RefusedError(f"{label}: {str(given)[:40]!r} is not an amount. Write it like 4.99.")
    return f"{pence // 100}.{pence % 100:02d}"


def moment(label: str, given: Any) -> str:
    """A time as ISO text with its offset; local unless it has one."""
    try:
        found = business_day.moment_of(str(given))
    except ValueError as error:
        raise RefusedError(f"{label}: {error}") from None
    if not business_day.FIRST_DAY <= found.date() <= business_day.LAST_DAY:
        raise RefusedError(f"{label}: {found} is not a time that T3 knows.")
    return found.isoformat()


def day(label: str, given: Any) -> str:
    """A business day as ISO text."""
    try:
        return business_day.day_of(str(given).strip()).isoformat()
    except ValueError as error:
        raise RefusedError(f"{label}: {error}") from None


def tick(label: str, given: Any) -> bool:
    """Yes or no."""
    if not isinstance(given, bool):
        raise RefusedError(f"{label}: say yes or no.")
    return given


def code(label: str, given: Any) -> str:
    """The code of a reason, also as people say it ('decimal shift')."""
    found = str(given).strip().lower().replace(" ", "_")
    if not _CODE.fullmatch(found):
        raise RefusedError(f"{label}: write a code such as zero or decimal_shift.")
    return found


def words(label: str, given: Any) -> str:
    """A short text: a key, the name of a batch, a choice."""
    text = str(given).strip()
    if len(text) > LONGEST_KEY or not text.isprintable():
        raise RefusedError(f"{label} is not readable, or longer than {LONGEST_KEY:,} characters.")
    return text
