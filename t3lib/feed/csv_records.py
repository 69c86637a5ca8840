"""The records of a text file, each checked against its lines.

A line is a record, unless a quoted cell holds its end. Any other use of quotes is refused, with the line named: an
unclosed quote would swallow rows silently."""

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
    """A text file: the names in its header, the text below it, and the number of the first line there."""

    names: list[str]
    delimiter: str
    body: str
    line: int


class Record(NamedTuple):
    """One record: its cells, its lines as written, and the number of the first of them."""

    cells: list[str]
    text: str
    line: int


def split_header(content: str) -> Text:
    """Split a text into its header and the rest. Raises FeedError when the header is not a line of names."""
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


def has_a_record_per_line(text: Text) -> bool:
    """Whether every line below the header is surely one record: every quoted cell ends on the line it began on."""
    return '"' not in text.body or bool(_pattern(text.delimiter, _ONE_LINE, many=True).fullmatch(text.body))


def filled_lines(body: str) -> int:
    """How many lines are not empty: the number of records, where each line is one."""
    ends, returns = body.count("\n"), "\r" in body and body.count("\r")
    is_even = returns == 0 or (returns == ends and body.count("\r\n") == ends)
    if not is_even or body[:1] in "\r\n" or "\n\n" in body or (returns and "\n\r" in body):
        return sum(line not in ("\n", "\r", "\r\n") for line in io.StringIO(body, newline=""))
    return ends + (body[-1] != "\n")


def records(text: Text, is_row: Callable[[list[str]], bool]) -> Iterator[Record]:
    """Every record below the header. A quoted cell may hold ends of lines, unless one of its lines reads like a row.

    is_row: whether the cells of one line may be a row. Raises FeedError, with the line named."""
    if '"' in text.body:
        yield from _quoted(text, is_row)
        return
    for number, line in enumerate(io.StringIO(text.body, newline=""), text.line):
        if bare := line.rstrip("\r\n"):
            yield Record(bare.split(text.delimiter), bare, number)


def _quoted(text: Text, is_row: Callable[[list[str]], bool]) -> Iterator[Record]:
    csv.field_size_limit(2**31 - 1)
    lines: list[str] = []  # of the record that is being read
    reader = csv.reader(_recorded(text.body, lines), delimiter=text.delimiter, strict=True)
    line = text.line
    try:
        for cells in reader:
            written = "".join(lines).rstrip("\r\n")
            _check(cells, written, lines, line, text.delimiter, is_row)
            if cells:
                yield Record(cells, written, line)
            line += len(lines)
            lines.clear()
    except csv.Error as error:
        raise FeedError("unreadable", _explained(line, line + len(lines) - 1, str(error))) from None
    if line - text.line != _ends(text.body) + (text.body[-1:] not in "\r\n"):
        raise FeedError("unreadable", f"Its {line - 1:,} lines and its rows do not add up: {_QUOTE_CELL}.")


_CLOSE = "close it, then upload the file again"
_QUOTE_CELL = "quote the whole cell and double the quotes in it, then upload the file again"


def _check(
    cells: list[str], written: str, lines: list[str], line: int, delimiter: str, is_row: Callable[[list[str]], bool]
) -> None:
    """Raise FeedError unless quotes enclose complete cells, and each further line continues a cell and is no row."""
    if '"' in written and not _pattern(delimiter, _QUOTED).fullmatch(written):
        raise FeedError("unreadable", f"Line {line:,} has a quote within an unquoted cell: {_QUOTE_CELL}.")
    if len(lines) == 1:
        return
    if len(lines) != 1 + sum(map(_ends, cells)):
        raise FeedError("unreadable", f"Line {line:,} and the lines after it do not add up to a row: {_QUOTE_CELL}.")
    for number, cut in enumerate(lines[1:], line + 1):
        if is_row(_cells(cut, delimiter)):
            swallowed = f"takes in line {number:,}, which reads like a row of its own"
            raise FeedError("unreadable", f"Line {line:,} opens a quote that {swallowed}: {_CLOSE}.")


def _explained(first: int, last: int, error: str) -> str:
    if "unexpected end" in error:
        return f"Line {first:,} opens a quote that is never closed: {_CLOSE}."
    if "expected after" in error:
        where = f"Line {first:,} has text" if first == last else f"Line {first:,} opens a quote; line {last:,} has text"
        return f"{where} behind a closing quote: {_QUOTE_CELL}."
    return f"Line {last:,} is not CSV ({error})."


def _recorded(body: str, lines: list[str]) -> Iterator[str]:
    """Yield every line, after appending it to `lines`."""
    for line in io.StringIO(body, newline=""):
        lines.append(line)
        yield line


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.split(delimiter)]


def _ends(text: str) -> int:
    return len(_LINE_END.findall(text))


@cache
def _pattern(delimiter: str, quoted: str, *, many: bool = False) -> re.Pattern[str]:
    """A record, or many, in which every quote opens a cell, closes one or is doubled in one."""
    cell = rf'(?:{quoted}|[^"\r\n{delimiter}]*+)'
    record = rf"{cell}(?:{delimiter}{cell})*+"
    return re.compile(rf"{record}(?:[\r\n]++{record})*+" if many else record)
