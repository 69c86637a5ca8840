"""The cells of the hand-kept files: converts text or a workbook's value into what the tables hold."""

import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from t3lib.business_day import BEGINNING, bounds, day_of, moment_of
from t3lib.feed.bounds import MOST_CHARACTERS, FeedError, visible
from t3lib.money import parse_pence

PER = ("day", "month", "sale", "percent", "hour", "shift")
FEE_PER = ("stay", "day")
LONGEST_NAME = 200
DEAREST_PENCE = 10_000_000_00
_JOINERS = "\u200c\u200d"


def cell(row: dict[str, Any], column: str, convert: Callable[[Any], Any]) -> Any:
    """A cell by its column, converted by one of the functions below. Raises FeedError, which names row and column."""
    try:
        return convert(row.get(column))
    except (ValueError, TypeError, InvalidOperation, OverflowError) as error:
        said = f"{str(row[column])[:60]!r} in column {column}" if row.get(column) not in (None, "") else f"no {column}"
        why = "a number is needed" if isinstance(error, InvalidOperation) else str(error).rstrip(".")
        raise FeedError("unreadable", f"{row['']}: {said} ({why}). The previous version stays in force.") from None


def whole_id(value: Any) -> int:
    """A positive whole number, also where the workbook made it 6.0."""
    number = Decimal(str(value))
    if number != number.to_integral_value() or not 0 < number < 2**31:
        raise ValueError("a positive whole number is needed")
    return int(number)


def rating(value: Any) -> int:
    """A food hygiene rating, 0 to 5."""
    number = Decimal(str(value))
    if number != number.to_integral_value() or not 0 <= number <= 5:
        raise ValueError("a whole number from 0 to 5 is needed")
    return int(number)


def name(value: Any) -> str:
    """A name of bounded length, with single blanks and no invisible characters."""
    if not (name := _visible_text(value)):
        raise ValueError("a name is needed")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"at most {LONGEST_NAME} characters are kept")
    return name


def description(value: Any) -> str | None:
    """A text of bounded length, or None."""
    if len(found := _visible_text(value)) > MOST_CHARACTERS:
        raise ValueError(f"at most {MOST_CHARACTERS:,} characters are kept")
    return found or None


def yes_no(value: Any) -> bool | None:
    """YES or NO as a bool, or None for an empty cell."""
    word = "" if value is None else str(value).strip().upper()
    if word not in ("YES", "NO", "", "TRUE", "FALSE"):
        raise ValueError("YES or NO is needed")
    return None if not word else word in ("YES", "TRUE")


def price(value: Any) -> int:
    """An amount above zero, in pence."""
    pence, problem, _ = parse_pence(str(value))
    if problem or pence is None or pence > DEAREST_PENCE:
        raise ValueError("an amount like 7.50 is needed")
    return pence


def amount(value: Any) -> int:
    """An amount in pence, zero included."""
    return 0 if parse_pence(str(value))[1] == "zero" else price(value)


def percent(value: Any) -> Decimal:
    """A percentage with or without its sign."""
    number = Decimal(str(value).rstrip("% "))
    if not 0 <= number <= 100:
        raise ValueError("a percentage from 0 to 100 is needed")
    return number


def vat_rate(value: Any) -> str:
    """A rate of VAT, as text: a percentage with at most two decimals."""
    rate = percent(value)
    if rate != round(rate, 2):
        raise ValueError("a percentage with at most two decimals is needed")
    return f"{rate.normalize():f}"


def per(value: Any) -> str:
    """What a cost is charged per: day, month, sale, percent, hour or shift."""
    return _one_of(PER, value)


def fee_per(value: Any) -> str:
    """What a pitch fee is for: the stay, or each of its days."""
    return _one_of(FEE_PER, value)


def moment(value: Any) -> str:
    """An ISO moment; without an offset it is local time."""
    found = moment_of(str(value))
    if found.date() < BEGINNING:
        raise ValueError(f"{found.date()} is not a day that T3 knows: give one from {BEGINNING} on.")
    return found.isoformat()


def from_moment(value: Any) -> str:
    """When something begins to hold: an ISO moment, or the start of a business day."""
    return bounds(day_of(text))[0].isoformat() if _is_day(text := str(value).strip()) else moment(text)


def to_moment(value: Any) -> str:
    """When something ceases to hold: an ISO moment, or the end of a business day."""
    return bounds(day_of(text))[1].isoformat() if _is_day(text := str(value).strip()) else moment(text)


def day(value: Any) -> str:
    """A business day as ISO text."""
    return day_of(str(value).strip()).isoformat()


def day_after(value: Any) -> str:
    """The business day after one, as ISO text."""
    return (day_of(str(value).strip()) + timedelta(days=1)).isoformat()


def no_value(value: Any) -> None:
    """None for a cell that must be empty, because the fee beside it is."""
    if value not in (None, ""):
        raise ValueError("a fee beside it is needed")


def optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The conversion for a cell that may be empty: None then."""
    return lambda value: None if value in (None, "") else convert(value)


def _one_of(words: tuple[str, ...], value: Any) -> str:
    if (word := str(value or "").strip().lower()) not in words:
        raise ValueError(f"one of {', '.join(words)} is needed")
    return word


def _is_day(text: str) -> bool:
    return len(text) <= len("2026-11-05")


def _visible_text(value: Any) -> str:
    """Text with single blanks, without invisible characters: they break Excel files, and make two names of what reads
    as one. Joiners stay: emoji and some scripts need them."""
    text = re.sub(r"\s+", " ", visible(str(value if value is not None else "")))
    kept = (c for c in text if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn"))
    return " ".join("".join(kept).split())
