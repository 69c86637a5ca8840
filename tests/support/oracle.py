"""What a file, an amount and a moment say, read by the standard library alone: to compare T3's own reading with."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

COLUMNS = ["timestamp", "type", "total"]
LONGEST = 1000
_MISSING = ("", "blank", "null", "nan", "none", "n/a", "na", "-")


class TwoReadings(Exception):
    """What the quotes of a file mean is not sure."""


def table(data: bytes) -> list[tuple[str | None, ...]] | None:
    """(timestamp, type, total, whole line) of each row of a CSV file that has such columns: the cells, or else the
    line of a row with another number of cells. None where its quotes can be read in two ways."""
    content = _decoded(data).replace("\0", "␀").lstrip("\r\n")
    lines = io.StringIO(content, newline="")
    header = lines.readline().rstrip("\r\n")
    mark = next((mark for mark in ",;\t" if mark in header), ",")
    try:
        ((names, _),) = _records(header, mark)
        names = [name.strip().lower() for name in names]
        places = [names.index(column) for column in COLUMNS]
        found = list(_records(lines.read().removeprefix("\ufeff"), mark))
        _require_one_reading(found, places, len(names), mark)
    except TwoReadings:
        return None
    return [
        (*(cells[place] for place in places), None) if len(cells) == len(names) else (None, None, None, text)
        for cells, text in found
    ]


def _records(text: str, mark: str) -> Iterator[tuple[list[str], str]]:
    """(cells, the text that holds them) of each record that holds anything, one sign after the other."""
    cells, cell, state, first, at = [], [], "begin", 0, 0
    while at <= len(text):
        sign = text[at : at + 1]
        if state == "quoted":
            if sign == "":
                raise TwoReadings
            if sign == '"' and text[at + 1 : at + 2] == '"':
                cell.append(sign)
                at += 1
            elif sign == '"':
                state = "closed"
            else:
                cell.append(sign)
        elif sign in ("", "\r", "\n", mark):
            cells.append("".join(cell))
            cell, state = [], "begin"
            if sign != mark:
                if cells != [""] or text[first:at]:
                    yield cells, text[first:at]
                cells, first = [], at + 1
        elif sign == '"' and state == "begin":
            state = "quoted"
        elif sign == '"' or state == "closed":
            raise TwoReadings
        else:
            cell.append(sign)
            state = "bare"
        at += 1


def _require_one_reading(found: list, places: list[int], width: int, mark: str) -> None:
    """No line but the first of a record may be read as a row: with a time in its place, or with as many cells as a
    row and a payment or an amount in theirs."""
    for _, text in found:
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:]:
            cells = [cell.strip(' "') for cell in line.split(mark)]
            time, payment, total = (cells[place] if place < len(cells) else "" for place in places)
            is_paid = payment.lower() in ("card", "cash") or pence(total)[1] not in ("not_a_number", "missing_total")
            if (len(cells) > 1 and moment(time)) or (len(cells) >= width and is_paid):
                raise TwoReadings


def pence(text: str | None) -> tuple[int | None, str | None]:
    """(pence, None) of an amount of money, or (None, reason code)."""
    word = (text or "").replace("\xa0", " ").strip()
    if word.lower() in _MISSING:
        return None, "missing_total"
    if word.lower() in ("void", "voided"):
        return None, "void"
    if word.lower() in ("err", "error"):
        return None, "error_marker"
    digits = _plain_number(word)
    if digits is None:
        return None, "not_a_number"
    with localcontext(prec=len(digits) + 5):
        value = Decimal(digits) * 100
        if value != value.to_integral_value() or abs(value) >= 10**17:
            return None, "not_a_number"
    if value == 0:
        return None, "zero"
    return (None, "negative") if value < 0 else (int(value), None)


def moment(text: str | None) -> datetime | None:
    """The UTC moment of a stamp, to the second; without an offset it is UTC."""
    word = (text or "").strip().upper().removesuffix("UTC").removesuffix("Z")
    date, time = word[:10], word[11:].strip()
    sign = next((sign for sign in "+-" if sign in time), None)
    time, _, offset = time.partition(sign) if sign else (time, "", "")
    clock, _, fraction = time.strip().partition(".")
    try:
        found = datetime.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S" if clock.count(":") == 2 else "%Y-%m-%d %H:%M")
        hours, minutes = (int(part) for part in (offset[:2], offset[-2:])) if offset else (0, 0)
        assert fraction == "" or fraction.isdecimal()
        return (found - (timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1))).replace(tzinfo=UTC)
    except (ValueError, OverflowError, AssertionError):
        return None


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _plain_number(word: str) -> str | None:
    """An amount as Decimal reads it, when there is only one way to read it."""
    sign = ""
    if word[:1] in ("+", "-"):
        sign, word = word[0], word[1:]
        if word.lstrip().lower().startswith(("£", "gbp")):
            word = word.lstrip()
    for name in ("£", "gbp"):
        if word.lower().startswith(name):
            word = word[len(name) :].lstrip()
            if not sign and word[:1] in ("+", "-"):
                sign, word = word[0], word[1:]
            break
    for name in ("£", "gbp"):
        if word.lower().endswith(name):
            word = word[: -len(name)].rstrip()
            break
    whole, point, part = word.partition(".")
    groups = whole.split(",")
    if not point and len(groups) == 2 and len(groups[1]) in (1, 2):
        groups, part = groups[:1], groups[1]
    thousands = len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    digits = "".join(groups)
    is_number = all(c in "0123456789" for c in digits + part) and digits + part != ""
    return f"{sign}{digits or 0}.{part or 0}" if is_number and (thousands or len(groups) == 1) else None
