"""Figures as British readers write them; text from outside made fit for one line."""

import math
import unicodedata
from datetime import date

from t3lib import money


def day(value: date) -> str:
    """Thursday 5 November 2026."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def weekday(value: date) -> str:
    """Thu."""
    return f"{value:%a}"


def pounds(pence: int | None) -> str:
    """£1,234.50, −£3.00; an en dash for none."""
    return money.pounds(pence).replace("-", "−")


def amount(value: int | None, measure: str) -> str:
    """£1,234.50 for a measure in pence, 1,234 for a count; an en dash for none."""
    if measure.endswith("_pence"):
        return pounds(value)
    return "–" if value is None else f"{value:,}".replace("-", "−")


def signed(value: int | None, measure: str) -> str:
    """+£120.40 or −12."""
    text = amount(value, measure)
    return f"+{text}" if value and value > 0 else text


def change(pct: float | None) -> str:
    """+12%, −3%, 0%; an en dash where there is nothing to compare with."""
    if pct is None or math.isnan(pct):
        return "–"
    rounded = half_away(pct)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded):,}%"


def points(now: float | None, before: float | None) -> str:
    """Change of a share in percentage points: +1.5 pts."""
    if now is None or before is None or math.isnan(now) or math.isnan(before):
        return "–"
    moved = round(now - before, 1)
    return f"{'+' if moved > 0 else '−' if moved < 0 else ''}{abs(moved):.1f} pts"


def share(pct: float | None) -> str:
    """68.4%; an en dash where there is no share, as the total is 0."""
    return "–" if pct is None or math.isnan(pct) else f"{pct:.1f}%".replace("-", "−")


def hour(value: int) -> str:
    """13:00 as 1–2pm."""
    first, last = value % 24, (value + 1) % 24
    halves = ["am" if h < 12 else "pm" for h in (first, last)]
    start = f"{first % 12 or 12}{halves[0] if halves[0] != halves[1] else ''}"
    return f"{start}–{last % 12 or 12}{halves[1]}"


def line(text: str) -> str:
    """One line without control or direction characters: fit for a header, a file, a sentence."""
    kept = (" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join("".join(kept).split())


def half_away(value: float) -> int:
    """The nearest whole number, halves away from zero, as people round."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
