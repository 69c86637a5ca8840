"""Cleaning a batch: each distinct value is judged once, exactly, in Python; Arrow and NumPy spread the verdicts."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t3lib.business_day import business_dates
from t3lib.cleaning.moments import TOO_OLD_SECONDS, parse_moments
from t3lib.cleaning.reasons import FLAGS, REASONS
from t3lib.cleaning.rules import Rules
from t3lib.money import parse_pence

FUTURE_TOLERANCE = 3600
PAYMENT_TYPES = ("card", "cash")
_INT32_MAX = 2**31 - 1
_CODES = list(REASONS)
_OK = -1


@dataclass(frozen=True)
class Cleaned:
    """`sales` has the columns of core.sale, `rejects` those of ops.rejected_row; together one row per raw row."""

    sales: pa.Table
    rejects: pa.Table


def clean(raw: pa.Table, files: pa.Table, rules: Rules) -> Cleaned:
    """Judge every row of a batch.

    raw: one row per row read (feed.RAW_SCHEMA). files: one row per file with file_id, truck_id, uploaded_at,
    window_from and window_to (UTC stamps, window null for history files)."""
    raw, files = raw.combine_chunks(), files.combine_chunks()
    at = _positions(raw["file_id"], files["file_id"])
    truck = _numbers(files["truck_id"])[at]
    total, payment = _coded(raw["total"]), _coded(raw["type"])
    pence, reason, suggested = _judge_totals(total, truck, rules)
    seconds, bad_time = parse_moments(raw["timestamp"])
    uploaded = _seconds(files["uploaded_at"])[at] + FUTURE_TOLERANCE
    kind, unknown = _judge_payments(payment)
    reason = _first(reason, bad_time, "bad_timestamp")
    reason = _first(reason, ~bad_time & (seconds > uploaded), "future")
    reason = _first(reason, ~bad_time & (seconds < TOO_OLD_SECONDS), "too_old")
    reason = _first(reason, unknown, "unknown_payment_type")
    flags = _flags(truck, kind, seconds, files, at, rules)
    moments = pa.array(seconds, pa.timestamp("s", "UTC"), mask=bad_time)
    dates, hours = business_dates(moments)
    columns = {
        "truck_id": pa.array(truck, pa.int32()),
        "file_id": raw["file_id"],
        "row_number": raw["row_number"],
        "sold_at": moments.cast(pa.timestamp("us", "UTC")),
        "business_date": dates,
    }
    sales = pa.table(
        columns
        | {
            "local_hour": hours,
            "payment_type": pa.array(PAYMENT_TYPES).take(pa.array(np.maximum(kind, 0))),
            "total_pence": pa.array(pence, pa.int32()),
            "flags": pa.array(flags, pa.int16()),
        }
    )
    rejects = pa.table(
        columns
        | {f"raw_{name}": raw[name] for name in ("timestamp", "type", "total")}
        | {
            "reason": pa.array(_CODES).take(pa.array(np.maximum(reason, 0))),
            "suggested_pence": pa.array(suggested, pa.int32(), mask=suggested < 0),
        }
    )
    return Cleaned(sales.filter(pa.array(reason == _OK)), rejects.filter(pa.array(reason != _OK)))


def _judge_totals(total: pa.DictionaryArray, truck: np.ndarray, rules: Rules) -> tuple[np.ndarray, ...]:
    """(pence, reason, suggested or -1) per row; each distinct (truck, text) is judged once."""
    texts = total.dictionary.to_pylist()
    parsed = [parse_pence(text) for text in texts]
    pairs = truck.astype(np.int64) * max(len(texts), 1) + _indices(total)
    distinct, place, times = np.unique(pairs, return_inverse=True, return_counts=True)
    trucks, words = np.divmod(distinct, max(len(texts), 1))
    batch: dict[int, Counter[int]] = {}
    for truck_id, word, count in zip(trucks.tolist(), words.tolist(), times.tolist(), strict=True):
        if (pence := parsed[word][0]) is not None:
            batch.setdefault(truck_id, Counter())[pence] += count
    shifted = {truck_id: rules.shifted_prices(truck_id, seen) for truck_id, seen in batch.items()}
    verdicts = np.array(
        [_judge(parsed[word], shifted.get(truck_id, set()), rules.limit(truck_id))
         for truck_id, word in zip(trucks.tolist(), words.tolist(), strict=True)], np.int64,
    ).reshape(-1, 3)  # fmt: skip
    return tuple(verdicts[place].T)


def _judge(parsed: tuple[int | None, str | None, int | None], shifted: set[int], limit: int) -> tuple[int, int, int]:
    pence, problem, suggested = parsed
    if problem or pence is None:
        possible = suggested is not None and suggested <= _INT32_MAX
        return 0, _CODES.index(problem or "not_a_number"), suggested if possible else -1
    if pence in shifted:
        return 0, _CODES.index("decimal_shift"), pence // 100
    return (pence, _OK, -1) if pence <= limit else (0, _CODES.index("above_limit"), -1)


def _judge_payments(payment: pa.DictionaryArray) -> tuple[np.ndarray, np.ndarray]:
    """(index into PAYMENT_TYPES or -1, is it unknown) per row."""
    words = [(word or "").strip().lower() for word in payment.dictionary.to_pylist()]
    index = np.array([PAYMENT_TYPES.index(word) if word in PAYMENT_TYPES else -1 for word in words], np.int8)
    kind = index[_indices(payment)] if len(words) else np.zeros(len(payment), np.int8)
    return kind, kind < 0


def _flags(truck: np.ndarray, kind: np.ndarray, seconds: np.ndarray, files: pa.Table, at: np.ndarray,
           rules: Rules) -> np.ndarray:  # fmt: skip
    card = kind == PAYMENT_TYPES.index("card")
    first, last = _seconds(files["window_from"])[at], _seconds(files["window_to"])[at]
    outside = (last > 0) & ((seconds < first) | (seconds >= last))
    return (
        (card & np.isin(truck, list(rules.without_reader))) * FLAGS["card_without_reader"]
        + outside * FLAGS["outside_batch_window"]
        + ~np.isin(truck, list(rules.known)) * FLAGS["unknown_truck"]
    )


def _first(reason: np.ndarray, found: np.ndarray, code: str) -> np.ndarray:
    """Give the rows found a reason unless they have one: the total's wins over the time's over the payment's."""
    return np.where((reason == _OK) & found, _CODES.index(code), reason)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A text column as distinct values and positions, an absent cell being the empty text."""
    coded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    return coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded


def _indices(coded: pa.DictionaryArray) -> np.ndarray:
    return coded.indices.to_numpy(zero_copy_only=False)


def _positions(values: pa.ChunkedArray, among: pa.ChunkedArray) -> np.ndarray:
    return pc.index_in(values, among.combine_chunks()).to_numpy()


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column, 0).to_numpy()


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    return _numbers(column.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()))
