"""The records of a text file, each proved against the lines that it was written on.

A line is a record, unless a quoted cell holds its end. Whatever quotes may mean besides is refused with its line:
an unclosed quote would swallow rows and nobody would be told."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from t3lib.feed.bounds import FeedError

MAX_HEADER = 10_000
_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTED, _ONE_LINE = r'"[^"]*+(?:""[^"]*+)*+"', r'"[^"\r\n]*+(?:""[^"\r\n]*+)*+"'


@dataclass(frozen=True)
class Text:
    """A text file with a header: the names in it, and what stands below, from which line on."""

    names: list[str]
    delimiter: str
    body: str
    line: int


class Record(NamedTuple):
    """One record: its cells, the lines as they were written, and the number of the first of these."""

    cells: list[str]
    text: str
    line: int


def opened(content: str) -> Text:
    """Set the header of a text apart. Raises FeedError when it is no line of names."""
    below = content.lstrip("\r\n")
    line = 1 + _ends(content[: len(content) - len(below)])
    header, _, body = below.partition("\n")
    if len(header) > MAX_HEADER or "\r" in header.rstrip("\r"):
        header, _, body = _LINE_END.sub("\n", below).partition("\n")
    if len(header) > MAX_HEADER:
        raise FeedError("bad_header", f"The first line has {len(header):,} characters; a few names are enough.")
    header = header.rstrip("\r")
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    if not _pattern(delimiter, _ONE_LINE).fullmatch(header):
        raise FeedError("bad_header", f"Line {line} has a quote that is not closed, or not at the ends of its name.")
    return Text(next(csv.reader([header], delimiter=delimiter), []), delimiter, body.removeprefix("\ufeff"), line + 1)


def is_plain(text: Text) -> bool:
    """Whether every line below the header is a record in one way of reading: its quoted cells end where they began."""
    return '"' not in text.body or bool(_pattern(text.delimiter, _ONE_LINE, many=True).fullmatch(text.body))


def filled_lines(body: str) -> int:
    """How many lines hold anything: of a plain text, the records in it."""
    ends, returns = body.count("\n"), "\r" in body and body.count("\r")
    is_even = returns == 0 or (returns == ends and body.count("\r\n") == ends)
    if not is_even or body[:1] in "\r\n" or "\n\n" in body or (returns and "\n\r" in body):
        return sum(line not in ("\n", "\r", "\r\n") for line in io.StringIO(body, newline=""))
    return ends + (body[-1] != "\n")


def records(text: Text, is_row: Callable[[list[str]], bool]) -> Iterator[Record]:
    """Every record below the header. A quoted cell may hold ends of lines, unless one of its lines reads like a row.

    is_row: whether cells that stand on a line of their own may be a row. Raises FeedError, with the line named."""
    if '"' in text.body:
        yield from _quoted(text, is_row)
        return
    for number, line in enumerate(io.StringIO(text.body, newline=""), text.line):
        if bare := line.rstrip("\r\n"):
            yield Record(bare.split(text.delimiter), bare, number)


def _quoted(text: Text, is_row: Callable[[list[str]], bool]) -> Iterator[Record]:
    csv.field_size_limit(2**31 - 1)
    taken: list[str] = []
    reader = csv.reader(_kept(text.body, taken), delimiter=text.delimiter, strict=True)
    line = text.line
    try:
        for cells in reader:
            written = "".join(taken).rstrip("\r\n")
            _prove(cells, written, taken, line, text.delimiter, is_row)
            if cells:
                yield Record(cells, written, line)
            line += len(taken)
            taken.clear()
    except csv.Error as error:
        raise FeedError("unreadable", _fault(line, line + len(taken) - 1, str(error))) from None
    if line - text.line != _ends(text.body) + (text.body[-1:] not in "\r\n"):
        raise FeedError("unreadable", f"Its {line - 1:,} lines and its rows do not add up: {_MEND}.")


_CLOSE = "close it, then upload the file again"
_MEND = "quote the whole cell and double the quotes in it, then upload the file again"


def _prove(
    cells: list[str], written: str, taken: list[str], line: int, delimiter: str, is_row: Callable[[list[str]], bool]
) -> None:
    """Quotes must be whole, and each line of a record beyond the first a line end within its cells, no row itself."""
    if '"' in written and not _pattern(delimiter, _QUOTED).fullmatch(written):
        raise FeedError("unreadable", f"Line {line:,} has a quote within an unquoted cell: {_MEND}.")
    if len(taken) == 1:
        return
    if len(taken) != 1 + sum(map(_ends, cells)):
        raise FeedError("unreadable", f"Line {line:,} and the lines after it do not add up to a row: {_MEND}.")
    for number, cut in enumerate(taken[1:], line + 1):
        if is_row(_cells(cut, delimiter)):
            swallowed = f"takes in line {number:,}, which reads like a row of its own"
            raise FeedError("unreadable", f"Line {line:,} opens a quote that {swallowed}: {_CLOSE}.")


def _fault(first: int, last: int, error: str) -> str:
    if "unexpected end" in error:
        return f"Line {first:,} opens a quote that is never closed: {_CLOSE}."
    if "expected after" in error:
        where = f"Line {first:,} has text" if first == last else f"Line {first:,} opens a quote; line {last:,} has text"
        return f"{where} behind a closing quote: {_MEND}."
    return f"Line {last:,} is not CSV ({error})."


def _kept(body: str, taken: list[str]) -> Iterator[str]:
    for line in io.StringIO(body, newline=""):
        taken.append(line)
        yield line


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.split(delimiter)]


def _ends(text: str) -> int:
    return len(_LINE_END.findall(text))


@cache
def _pattern(delimiter: str, quoted: str, *, many: bool = False) -> re.Pattern[str]:
    """A record, or many, in which every quote opens a cell, closes one or stands double in one."""
    cell = rf'(?:{quoted}|[^"\r\n{delimiter}]*+)'
    record = rf"{cell}(?:{delimiter}{cell})*+"
    return re.compile(rf"{record}(?:[\r\n]++{record})*+" if many else record)
