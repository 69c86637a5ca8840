"""Money: exact pence from text, pounds for people. Never a float."""

import re
from dataclasses import dataclass

MOST_DIGITS = 15
_MISSING = {"", "blank", "null", "nan", "none", "n/a", "na", "-"}
_ERROR = {"err", "error"}
_AMOUNT = re.compile(r"(?P<sign>[-+]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)?(?:(?P<mark>[.,])(?P<part>\d*))?", re.ASCII)


def parse_pence(text: str | None) -> tuple[int | None, str | None, int | None]:
    """(pence, reason code, suggested pence) of a total as trucks write it.

    Pence is exact ('8.70' is 870); the reason is missing_total, void, error_marker, not_a_number, zero or
    negative. A pound sign, thousands separators and a decimal comma are read where one reading is possible.
    More than two decimals that are not zero are no price: the nearest pence is only suggested."""
    word = (text or "").replace("\xa0", " ").strip()
    if (lower := word.lower()) in _MISSING:
        return None, "missing_total", None
    if lower in ("void", "voided"):
        return None, "void", None
    if lower in _ERROR:
        return None, "error_marker", None
    bare = re.sub(r"^([-+]?)\s*(?:£|gbp)\s*([-+]?)|\s*(?:gbp|£)$", r"\1\2", word, flags=re.IGNORECASE).strip()
    found = _AMOUNT.fullmatch(bare)
    if not found or not (found["whole"] or found["part"]):
        return None, "not_a_number", None
    return _exact(found)


def _exact(found: re.Match[str]) -> tuple[int | None, str | None, int | None]:
    whole, part = (found["whole"] or "0").replace(",", ""), found["part"] or ""
    if found["mark"] == "," and (len(part) not in (1, 2) or "," in (found["whole"] or "")):
        return None, "not_a_number", None
    if len(whole.lstrip("0")) > MOST_DIGITS:
        return None, "not_a_number", None
    pence = int(whole + part[:2].ljust(2, "0"))
    if part[2:].strip("0"):
        nearest = pence + (part[2] >= "5")
        return None, "not_a_number", nearest if nearest > 0 and found["sign"] != "-" else None
    if pence == 0:
        return None, "zero", None
    return (None, "negative", None) if found["sign"] == "-" else (pence, None, None)


@dataclass(frozen=True)
class Amount:
    """The amount that a text says: exact pence (negative with a minus), or none; and the nearest pence if it has
    more than two decimals."""

    pence: int | None
    nearest: int | None = None


def parse_amount(text: str | None) -> Amount:
    """The amount that a text says ('8.70' is 870 pence).

    A pound sign, thousands separators and a decimal comma are read where one reading is possible."""
    word = (text or "").replace("\xa0", " ").strip()
    bare = re.sub(r"^([-+]?)\s*(?:£|gbp)\s*([-+]?)|\s*(?:gbp|£)$", r"\1\2", word, flags=re.IGNORECASE).strip()
    found = _AMOUNT.fullmatch(bare)
    if not found or not (found["whole"] or found["part"]):
        return Amount(None)
    whole, part = (found["whole"] or "0").replace(",", ""), found["part"] or ""
    if found["mark"] == "," and (len(part) not in (1, 2) or "," in (found["whole"] or "")):
        return Amount(None)
    if len(whole.lstrip("0")) > MOST_DIGITS:
        return Amount(None)
    pence = int(whole + part[:2].ljust(2, "0"))
    if part[2:].strip("0"):
        nearest = pence + (part[2] >= "5")
        return Amount(None, nearest if nearest > 0 and found["sign"] != "-" else None)
    return Amount(-pence if found["sign"] == "-" else pence)


def pounds(pence: int | None, *, whole: bool = False) -> str:
    """Pence for a person: £1,234.50, -£3.00, or £1,235 when whole (rounded half up); an en dash for none."""
    if pence is None:
        return "–"
    sign, size = "-" if pence < 0 else "", abs(pence)
    return f"{sign}£{(size + 50) // 100:,}" if whole else f"{sign}£{size // 100:,}.{size % 100:02d}"
