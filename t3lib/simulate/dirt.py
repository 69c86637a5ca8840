"""The rows that tills write for the sales: text, some of it spoilt in every way that was ever seen.

The reason that a spoilt row must be rejected for is known here, because it was spoilt here for that reason."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np

from t3lib.simulate.chance import DIRT, draws
from t3lib.simulate.demand import Sales
from t3lib.simulate.fleet import Truck

# Share of each reason among spoilt rows; with the usual 7.6 % of spoilt rows, 0.5 % of all are decimal shifts.
SHARES = {
    "void": 0.198, "error_marker": 0.200, "missing_total": 0.300, "zero": 0.140, "decimal_shift": 0.066,
    "not_a_number": 0.020, "negative": 0.012, "above_limit": 0.010, "bad_timestamp": 0.018, "future": 0.012,
    "too_old": 0.006, "unknown_payment_type": 0.018,
}  # fmt: skip
REASONS = tuple(SHARES)
ACCEPTED = -1
TOTALS = {
    "void": ("VOID", "VOID", "VOID", "void", " VOID "),
    "error_marker": ("ERR", "ERR", "ERR", "err", "ERROR"),
    "missing_total": ("blank", "NULL", "", "blank", "NULL", "", "Blank", "null", "NaN", "None", "n/a"),
    "zero": ("0", "0.00", "0", "0.00", "0.0"),
    "not_a_number": ("seven", "7.0.0", "?", "--", "#REF!"),
    "above_limit": ("9999.99", "1234.56", "88888"),
}
TYPES = ("voucher", "cheque", "", "unknown")
STAMPS = ("not set", "", "2026-13-45 99:99:00+00:00", "0000-00-00 00:00:00+00:00", "??:??")
CLOCK_RESET = 0  # minutes since 1970: the clock of a till whose battery went flat
FUTURE_MINUTES = 27_000 * 1440  # some 74 years: later than any clock that a test or benchmark runs under
ODD_BUT_GOOD = 0.015  # capitals, spaces and trailing zeros that change nothing
CARD_WITHOUT_READER = 0.01
TWO_FAULTS = 0.03


@dataclass(frozen=True)
class Rows:
    """Rows of one truck and business date, in order: lists and arrays of one length.

    reason is a place in REASONS or ACCEPTED; pence is what the customer paid; odd_stamps gives, for the rows
    whose stamp is not that of the sale, a UTC minute since 1970 or an unreadable text."""

    minute: np.ndarray
    types: list[str]
    totals: list[str]
    reason: np.ndarray
    pence: np.ndarray
    flagged: np.ndarray
    odd_stamps: dict[int, int | str]

    def __len__(self) -> int:
        return len(self.types)

    def part(self, first: int, last: int) -> "Rows":
        """Rows [first, last)."""
        cut = slice(first, last)
        odd = {i - first: stamp for i, stamp in self.odd_stamps.items() if first <= i < last}
        return Rows(self.minute[cut], self.types[cut], self.totals[cut], self.reason[cut], self.pence[cut],
                    self.flagged[cut], odd)  # fmt: skip

    def rejected(self) -> Counter[str]:
        """Rows per reason."""
        counts = np.bincount(self.reason[self.reason != ACCEPTED], minlength=len(REASONS))
        return Counter({reason: int(count) for reason, count in zip(REASONS, counts, strict=True) if count})


def write_down(sales: Sales, truck: Truck, day: date, seed: int, dirt: float) -> Rows:
    """The rows that the truck's till writes for its sales; dirt is the share of them that is spoilt."""
    rng = draws(seed, DIRT, truck.truck_id, day.toordinal())
    spoil, pick, odd = rng.random((3, len(sales)))
    reason = np.searchsorted(_edges(dirt), spoil, side="right")
    reason = np.where(spoil < dirt, np.minimum(reason, len(REASONS) - 1), ACCEPTED).astype(np.int8)
    card = sales.card | (not truck.has_card_reader and dirt > 0) & (odd < CARD_WITHOUT_READER)
    rows = Rows(
        sales.minute, _TYPES[card.astype(np.int8)].tolist(), _texts(truck.prices)[sales.item].tolist(), reason,
        np.array(truck.prices, dtype=np.int64)[sales.item],
        card & (reason == ACCEPTED) & (not truck.has_card_reader), {},
    )  # fmt: skip
    for i in np.flatnonzero(reason != ACCEPTED).tolist():
        _spoil(rows, i, REASONS[reason[i]], float(pick[i]), day, float(odd[i]))
    if dirt > 0:
        for i in np.flatnonzero((odd > 1 - ODD_BUT_GOOD) & (reason == ACCEPTED)).tolist():
            _make_odd(rows, i, float(pick[i]))
    return rows


def price_text(pence: int) -> str:
    """Pounds as the tills write them: 7, 9.6, 12.99."""
    pounds, rest = divmod(pence, 100)
    return f"{pounds}.{rest:02d}".rstrip("0").rstrip(".")


def _spoil(rows: Rows, i: int, reason: str, pick: float, day: date, second: float) -> None:
    if reason in TOTALS:
        rows.totals[i] = _one(TOTALS[reason], pick)
    elif reason == "decimal_shift":
        rows.totals[i] = str(int(rows.pence[i]))
    elif reason == "negative":
        rows.totals[i] = "-" + rows.totals[i]
    elif reason == "bad_timestamp":
        rows.odd_stamps[i] = _one(STAMPS, pick)
    elif reason == "future":
        rows.odd_stamps[i] = (day.toordinal() - _EPOCH) * 1440 + int(rows.minute[i]) + FUTURE_MINUTES
    elif reason == "too_old":
        rows.odd_stamps[i] = CLOCK_RESET + int(rows.minute[i])
    else:
        rows.types[i] = _one(TYPES, pick)
    if second > 1 - TWO_FAULTS and reason in ("void", "error_marker", "missing_total", "zero"):
        rows.types[i] = _one(TYPES, pick)  # the total's reason wins


def _make_odd(rows: Rows, i: int, pick: float) -> None:
    kind, text = int(pick * 4), rows.types[i]
    if kind < 3:
        rows.types[i] = (text.upper(), text.title(), f" {text} ")[kind]
    else:
        rows.totals[i] = f" {rows.pence[i] // 100}.{rows.pence[i] % 100:02d}"


_EPOCH = date(1970, 1, 1).toordinal()
_TYPES = np.array(["cash", "card"], dtype=object)


def _one(choices: tuple[str, ...], pick: float) -> str:
    return choices[int(pick * len(choices))]


@cache
def _texts(prices: tuple[int, ...]) -> Any:
    return np.array([price_text(price) for price in prices], dtype=object)


@cache
def _edges(dirt: float) -> np.ndarray:
    return np.array(list(accumulate(SHARES.values()))) * dirt
