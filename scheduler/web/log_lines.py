"""Safe log records: one line of printable text, shortened when it is long, whatever a visitor or a kernel sent."""

import logging
import re
from typing import Any

LINE, TRACEBACK = 400, 4000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # in IPython's tracebacks
_default_record = logging.LogRecord
_formatter = logging.Formatter()


def shorten_records() -> None:
    """Shorten every log record that this process makes from now on."""
    logging.setLogRecordFactory(_short_record)


def line(text: str, limit: int = LINE) -> str:
    """Text on one line without control characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return shown[:limit] + (f" ... ({len(text):,} characters)" if max(len(text), len(shown)) > limit else "")


def lines(text: str, limit: int = TRACEBACK) -> str:
    """The end of a traceback, indented so that no line of it looks like a record of its own."""
    shown = [f"  {line(one)}" for one in _COLOURS.sub("", text[-4 * limit :]).splitlines()]
    while len(shown) > 1 and sum(len(one) + 1 for one in shown) > limit:
        shown.pop(0)
    return "\n".join(shown)


class Lines:
    """An argument of a record that may have many lines, such as the output of a kernel."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return ""


def _short_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _default_record(*args, **kwargs)
    many = "".join(f"\n{lines(arg.text)}" for arg in record.args or () if isinstance(arg, Lines))
    try:
        record.msg, record.args = line(record.getMessage()) + many, ()
    except Exception:  # the message does not fit its arguments; logging must never fail
        record.msg, record.args = line(f"{record.msg!r} {record.args!r}"), ()
    if record.exc_info and record.exc_info[0]:
        record.exc_text = lines(_formatter.formatException(record.exc_info))
    return record
