"""What the rules make of a batch: their verdicts on distinct values, spread over its rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from t3lib import cells
from t3lib.business_day import FIRST_DAY, LAST_DAY
from t3lib.cleaning.rules import INT32_MAX, NONE, RuleError, Rules
from t3lib.feed.rows import COLUMNS, PAYMENT_TYPES

if TYPE_CHECKING:
    from t3lib.cleaning.frames import Frames

Column: TypeAlias = Callable[[], pa.Array]  # makes one: several are made at once
_RAW = (*COLUMNS, "line")
_FIRST, _LAST = (int(pd.Timestamp(day, tz="UTC").timestamp()) for day in (FIRST_DAY, LAST_DAY))


@dataclass(frozen=True)
class Cleaned:
    """`sales` has the columns of core.sale, `rejects` those of ops.rejected_row; together one row per raw row."""

    sales: pa.Table
    rejects: pa.Table


@dataclass(frozen=True)
class Lack:
    """What a sale cannot be booked without: what to do where no rule rejects such a row, a rule that does, and what
    cells look at that are about it."""

    what: str
    advice: str
    rule: str
    looks_at: tuple[str, ...]


_OF_TOTALS, _READ_TOTAL = ("rows.pence", "rows.word", '"total"'), "Read its text as an amount, or reject it"
_NO_AMOUNT = Lack("no amount", _READ_TOTAL, 'rules.reject("not_a_number", "...", when=rows.pence.isna()).', _OF_TOTALS)
_NOTHING_PAID = Lack(
    "an amount of zero or less", "Reject it", 'rules.reject("zero", "...", when=rows.pence.le(0)).', _OF_TOTALS
)
_TOO_MUCH = Lack(
    f"an amount above £{INT32_MAX / 100:,.2f}", "Reject it",
    'rules.reject("above_limit", "...", when=rows.pence > rules.most_pence).', _OF_TOTALS,
)  # fmt: skip
_NO_PAYMENT = Lack(
    "no payment that is read as card or cash", "Read its text as a payment (rules.read), or reject it",
    'rules.reject("unknown_payment_type", "...", when=rows.payment.isna()).', ("rows.payment", 'rules.read("type"'),
)  # fmt: skip
_NO_TIME = Lack(
    "no time between 2000 and 2199", "Reject it",
    'rules.reject("bad_timestamp", "...", when=moments.sold_at.isna()), or those too old or in the future.',
    ("moments.sold_at", "moments.timestamp"),
)  # fmt: skip


def outcome(rules: Rules, bits: dict[str, int], *, believing: bool = False) -> Cleaned:
    """Sales and rejects of a batch by the rules stated over it. bits: the number of each flag.

    believing: only what cannot be booked is rejected, which is a row without an amount, a payment or a time. Raises
    RuleError where no rule rejects such a row."""
    frames = rules.of_batch
    row, moment = frames.of_rows.places, frames.of_moments.places
    of_row, of_moment = _first(rules, believing)
    reason = np.minimum(of_row[row], of_moment[moment])
    is_sold = reason == NONE
    for lack, is_lacking, places in _lacks(rules):
        unrejected = is_lacking & ((of_moment if places is moment else of_row) == NONE)
        if unrejected.any():
            _must_be_rejected(rules, lack, np.flatnonzero(unrejected[places] & is_sold))
    sold, refused = np.flatnonzero(is_sold), np.flatnonzero(~is_sold)
    tables = _sales(rules, bits, sold), _rejects(rules, of_row, reason, refused)
    with ThreadPoolExecutor() as columns:
        made = columns.map(lambda make: make(), [make for table in tables for make in table.values()])
        return Cleaned(*(pa.table({name: next(made) for name in table}) for table in tables))


def _sales(rules: Rules, bits: dict[str, int], at: np.ndarray) -> dict[str, Column]:
    """The columns of core.sale for these rows of the batch."""
    frames = rules.of_batch
    row, moment = frames.of_rows.places[at], frames.of_moments.places[at]
    payments, pence = _payments(rules), _pence(rules).clip(max=INT32_MAX).astype(np.int32)
    return _placed(frames, at) | {
        "local_hour": lambda: frames.hours.take(pa.array(frames.stamp[at])),
        "payment_type": lambda: pa.array(PAYMENT_TYPES).take(pa.array(payments[row])),
        "total_pence": lambda: pa.array(pence[row]),
        "flags": lambda: pa.array(_flags(rules, bits, row, moment)),
    }


def _rejects(rules: Rules, of_row: np.ndarray, reason: np.ndarray, at: np.ndarray) -> dict[str, Column]:
    """The columns of ops.rejected_row for these rows of the batch."""
    frames = rules.of_batch
    row = frames.of_rows.places[at]
    suggested = np.where(of_row[row] == reason[at], _suggested(rules, of_row)[row], -1)
    return _placed(frames, at) | {
        **{f"raw_{name}": partial(_texts, frames.raw[name], at) for name in _RAW},
        "reason": lambda: pa.array(list(rules.stated), pa.string()).take(pa.array(reason[at])),
        "suggested_pence": lambda: pa.array(suggested, pa.int32(), mask=suggested < 0),
    }


def _placed(frames: "Frames", at: np.ndarray) -> dict[str, Column]:
    """Where rows of the batch come from, and when they were sold."""
    places, when = pa.array(at), pa.array(frames.stamp[at])
    stamps = frames.stamps.cast(pa.timestamp("us", "UTC"))
    return {
        "truck_id": lambda: pa.array(frames.truck[at], pa.int32()),
        "file_id": lambda: frames.raw["file_id"].take(places),
        "row_number": lambda: frames.raw["row_number"].take(places),
        "sold_at": lambda: stamps.take(when),
        "business_date": lambda: frames.dates.take(when),
    }


def _texts(column: pa.ChunkedArray, at: np.ndarray) -> pa.ChunkedArray:
    return column.take(pa.array(at)).cast(pa.string())


def _first(rules: Rules, believing: bool) -> tuple[np.ndarray, np.ndarray]:
    """The rule that rejects each distinct row and each distinct moment."""
    of_row, of_moment = rules.first(False), rules.first(True)
    if not believing:
        return of_row, of_moment
    *of_rows, (_, has_no_time, _) = _lacks(rules)
    lacking = np.logical_or.reduce([is_lacking for _, is_lacking, _ in of_rows])
    return np.where(lacking, of_row, NONE), np.where(has_no_time, of_moment, NONE)


def _lacks(rules: Rules) -> list[tuple[Lack, np.ndarray, np.ndarray]]:
    """What a sale cannot be booked without: which distinct rows lack it, and the places of the batch's rows."""
    frames, pence = rules.of_batch, _pence(rules)
    row, moment = frames.of_rows.places, frames.of_moments.places
    stamp = frames.stamp[frames.of_moments.first]
    is_booked = ~np.asarray(frames.is_unread) & (frames.seconds >= _FIRST) & (frames.seconds <= _LAST)
    is_no_amount = rules.rows["pence"].isna().to_numpy()
    return [
        (_NO_AMOUNT, is_no_amount, row),
        (_NOTHING_PAID, ~is_no_amount & (pence <= 0), row),
        (_TOO_MUCH, pence > INT32_MAX, row),
        (_NO_PAYMENT, _payments(rules) < 0, row),
        (_NO_TIME, ~is_booked[stamp], moment),
    ]


def _must_be_rejected(rules: Rules, lack: Lack, rows: np.ndarray) -> None:
    if len(rows):
        raw = [str(rules.of_batch.raw[name][int(rows[0])]) for name in COLUMNS]
        about = [cell for cell in rules.sources if any(word in cell for word in lack.looks_at)]
        named = [cells.named(rules.numbers.get(cell), cell) for cell in about]
        raise RuleError(
            f"{len(rows):,} {'row has' if len(rows) == 1 else 'rows have'} {lack.what} and no rule rejects "
            f"{'it' if len(rows) == 1 else 'them'}, the first is {raw}. {lack.advice}: {lack.rule} Cells of the rules "
            f"about it: {', '.join(named) or 'none'}. Nothing is loaded."
        )


def values(rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """The amount in pence (0 without one) and the payment's place (-1 without one) of each distinct row."""
    return _pence(rules), _payments(rules)


def _pence(rules: Rules) -> np.ndarray:
    pence: np.ndarray = rules.rows["pence"].fillna(0).to_numpy(np.int64)
    return pence


def _payments(rules: Rules) -> np.ndarray:
    """The place among PAYMENT_TYPES per distinct row, -1 where no rule reads the payment."""
    payment = rules.rows["payment"].to_numpy(object)
    return np.select([payment == kind for kind in PAYMENT_TYPES], range(len(PAYMENT_TYPES)), -1).astype(np.int8)


def _flags(rules: Rules, bits: dict[str, int], row: np.ndarray, moment: np.ndarray) -> np.ndarray:
    flags = {False: np.zeros(len(rules.rows), np.int16), True: np.zeros(len(rules.moments), np.int16)}
    for rule in rules.stated.values():
        if not rule.rejects:
            flags[rule.of_moments][rule.caught] |= bits[rule.code]
    both: np.ndarray = flags[False][row] | flags[True][moment]
    return both


def _suggested(rules: Rules, of_row: np.ndarray) -> np.ndarray:
    """The suggestion of the rule that rejects each distinct row, -1 where it has none."""
    found = np.full(len(rules.rows), -1, np.int32)
    for number, rule in enumerate(rules.stated.values()):
        if rule.suggested is not None:
            found = np.where(of_row == number, rule.suggested, found)
    return found
