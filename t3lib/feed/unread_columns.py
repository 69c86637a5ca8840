"""The columns of a sales file that are not read: their names, and whether one says that rows are not sales."""

import re
from collections.abc import Iterable

from t3lib.feed.bounds import visible

MOST_NAMED = 50
LONGEST_NAME = 60
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_NO_SALE = ("refund", "void", "cancel", "revers", "chargeback", "declin", "delet", "abort", "storno")
_STATUS = {"status", "state", "outcome", "result"}
_ENDS = ("status", "outcome")
_MUST_BE = {"paid", "ispaid", "success", "successful", "issuccess", "valid", "isvalid", "approved", "isapproved",
            "issale"}  # fmt: skip
_KIND = {"kind", "event", "action", "operation", "type"}
_RETURNED = {"return", "returns", "returned", "isreturn", "isreturned"}
# What such a column may say of a sale. Anything else is for a person to decide.
_NOTHING = {"", "no", "n", "false", "f", "none", "null", "nan", "n/a", "na", "-"}
_DONE = _NOTHING | {
    "completed", "complete", "paid", "ok", "okay", "success", "successful", "succeeded", "settled", "approved",
    "captured", "closed", "done", "sale", "sold", "final", "finalised", "finalized", "fulfilled", "served",
    "delivered", "processed",
}  # fmt: skip
_YES = (_DONE - _NOTHING) | {"yes", "y", "true", "t", "", "null", "none", "nan", "n/a", "na", "-"}
_ZERO = re.compile(r"[-+]?£?0*\.?0*")


def names(header: list[str], places: list[int]) -> list[str]:
    """The names of the columns that are not read, in the order of the file; a nameless one by its number."""
    others = [place for place in range(len(header)) if place not in places]
    named = [visible(header[place]).strip()[:LONGEST_NAME] or f"column {place + 1}" for place in others]
    more = len(named) - MOST_NAMED
    return named if more <= 0 else [*named[:MOST_NAMED], f"{more:,} more"]


def suspect(header: list[str], places: list[int]) -> list[int]:
    """The places of those columns whose values may say that rows are not sales."""
    return [place for place, name in enumerate(header) if place not in places and _kind_of(name)][:MOST_NAMED]


def doubt(name: str, values: Iterable[str | None]) -> str | None:
    """Which values of a column say that rows may not be sales; None when none does."""
    allowed = {"status": _is_done, "mark": _is_nothing, "kind": _is_no_reversal, "yes": _is_yes}[
        _kind_of(name) or "kind"
    ]
    found = [value for value in values if not allowed((value or "").strip().lower())]
    if not found:
        return None
    said = ", ".join(repr((value or "")[:LONGEST_NAME]) for value in found[:3])
    return f"column {name.strip()[:LONGEST_NAME]} says {said}" + (" and more" if len(found) > 3 else "")


def _kind_of(name: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(name)]
    if "".join(words) in _RETURNED or any(word.removeprefix("is").startswith(_NO_SALE) for word in words):
        return "mark"
    if _STATUS.intersection(words) or "".join(words).endswith(_ENDS):
        return "status"
    if "".join(words) in _MUST_BE:
        return "yes"
    return "kind" if _KIND.intersection(words) else None


def _is_nothing(value: str) -> bool:
    return value in _NOTHING or bool(_ZERO.fullmatch(value))


def _is_done(value: str) -> bool:
    return value in _DONE


def _is_no_reversal(value: str) -> bool:
    words = re.findall(r"[a-z]+", value)
    return "nosale" not in "".join(words) and not any(word.startswith((*_NO_SALE, "return")) for word in words)


def _is_yes(value: str) -> bool:
    """Yes in some form, an amount above zero, or empty."""
    return value in _YES or bool(re.fullmatch(r"£?[0-9]*\.?[0-9]+", value) and not _ZERO.fullmatch(value))
