"""What a server writes into its log, whoever made it say so: one line of printable text, cut where it grows long."""

import logging
import re
from typing import Any

LINE, TRACEBACK = 400, 4000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of IPython's tracebacks
_usual = logging.LogRecord
_formatter = logging.Formatter()


def keep_short() -> None:
    """From now on every record of this process is so."""
    logging.setLogRecordFactory(_short)


def line(text: str, most: int = LINE) -> str:
    """Text on one line without control characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:most])
    return shown[:most] + (f" ... ({len(text):,} characters)" if max(len(text), len(shown)) > most else "")


def lines(text: str, most: int = TRACEBACK) -> str:
    """The end of a traceback, indented: no line of it can pass for a record of its own."""
    shown = [f"  {line(one)}" for one in _COLOURS.sub("", text[-4 * most :]).splitlines()]
    while len(shown) > 1 and sum(len(one) + 1 for one in shown) > most:
        shown.pop(0)
    return "\n".join(shown)


class Lines:
    """Argument of a record that may be many lines, such as what a kernel printed."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return ""


def _short(*given: Any, **more: Any) -> logging.LogRecord:
    record = _usual(*given, **more)
    many = "".join(f"\n{lines(arg.text)}" for arg in record.args or () if isinstance(arg, Lines))
    try:
        record.msg, record.args = line(record.getMessage()) + many, ()
    except Exception:  # the record does not fit its arguments: nobody may fail for that
        record.msg, record.args = line(f"{record.msg!r} {record.args!r}"), ()
    if record.exc_info and record.exc_info[0]:
        record.exc_text = lines(_formatter.formatException(record.exc_info))
    return record
