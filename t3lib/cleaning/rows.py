"""Cleaning a batch: each distinct value is judged once, exactly, in Python; Arrow and NumPy spread the verdicts."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t3lib.business_day import business_dates
from t3lib.feed.moments import TOO_OLD_SECONDS, parse_moments
from t3lib.cleaning.reasons import FLAGS, REASONS
from t3lib.cleaning.truck_facts import Rules
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
    pence, reason, suggested = _judge_totals(_coded(raw["total"]), truck, rules)
    reason = np.where(_is_whole_line(raw), _CODES.index("wrong_cells"), reason)
    kind = _judge_payments(_coded(raw["type"]))
    stamp = _coded(raw["timestamp"])
    seconds, bad_time, sold_at, dates, hours = _read_stamps(stamp.dictionary)
    when = _indices(stamp)
    second, unread = seconds[when], bad_time[when]
    uploaded = (_seconds(files["uploaded_at"]) + FUTURE_TOLERANCE)[at]
    reason = _first(reason, unread, "bad_timestamp")
    reason = _first(reason, ~unread & (second > uploaded), "future")
    reason = _first(reason, ~unread & (second < TOO_OLD_SECONDS), "too_old")
    reason = _first(reason, kind < 0, "unknown_payment_type")
    flags = _flags(truck, kind, second, files, at, rules)
    sold, refused = np.flatnonzero(reason == _OK), np.flatnonzero(reason != _OK)

    def placed(rows: np.ndarray) -> dict[str, pa.Array]:
        moment = pa.array(when[rows])
        return {
            "truck_id": pa.array(truck[rows], pa.int32()),
            "file_id": raw["file_id"].take(pa.array(rows)),
            "row_number": raw["row_number"].take(pa.array(rows)),
            "sold_at": sold_at.take(moment),
            "business_date": dates.take(moment),
        }

    sales = placed(sold) | {
        "local_hour": hours.take(pa.array(when[sold])),
        "payment_type": pa.array(PAYMENT_TYPES).take(pa.array(kind[sold])),
        "total_pence": pa.array(pence[sold], pa.int32()),
        "flags": pa.array(flags[sold], pa.int16()),
    }
    rejects = placed(refused) | {
        **{f"raw_{name}": _texts(raw[name].take(pa.array(refused))) for name in ("timestamp", "type", "total", "line")},
        "reason": pa.array(_CODES).take(pa.array(reason[refused])),
        "suggested_pence": pa.array(suggested[refused], pa.int32(), mask=suggested[refused] < 0),
    }
    return Cleaned(pa.table(sales), pa.table(rejects))


def _read_stamps(texts: pa.Array) -> tuple[np.ndarray, np.ndarray, pa.Array, pa.Array, pa.Array]:
    """(UTC seconds, could not be read, sold_at, business_date, local_hour) of each distinct timestamp."""
    seconds, bad = parse_moments(texts)
    moments = pa.array(seconds, pa.timestamp("s", "UTC"), mask=bad)
    return seconds, bad, moments.cast(pa.timestamp("us", "UTC")), *business_dates(moments)


def _judge_totals(total: pa.DictionaryArray, truck: np.ndarray, rules: Rules) -> tuple[np.ndarray, ...]:
    """(pence, reason, suggested or -1) per row; each distinct (truck, text) is judged once."""
    texts = total.dictionary.to_pylist()
    parsed = [parse_pence(text) for text in texts]
    pairs = pa.array(truck.astype(np.int64) * max(len(texts), 1) + _indices(total)).dictionary_encode()
    place = _indices(pairs)
    times = np.bincount(place, minlength=len(pairs.dictionary))
    trucks, words = np.divmod(pairs.dictionary.to_numpy(), max(len(texts), 1))
    batch: dict[int, Counter[int]] = {}
    for truck_id, word, count in zip(trucks.tolist(), words.tolist(), times.tolist(), strict=True):
        if (pence := parsed[word][0]) is not None:
            batch.setdefault(truck_id, Counter())[pence] += count
    shifted = {truck_id: rules.shifted_prices(truck_id, seen) for truck_id, seen in batch.items()}
    verdicts = np.array(
        [_judge(parsed[word], shifted.get(truck_id, set()), min(rules.limit(truck_id), _INT32_MAX))
         for truck_id, word in zip(trucks.tolist(), words.tolist(), strict=True)], np.int32,
    ).reshape(-1, 3)  # fmt: skip
    return tuple(verdict[place] for verdict in verdicts.T)


def _judge(parsed: tuple[int | None, str | None, int | None], shifted: set[int], limit: int) -> tuple[int, int, int]:
    pence, problem, suggested = parsed
    if problem or pence is None:
        possible = -1 if suggested is None or suggested > _INT32_MAX else suggested
        return 0, _CODES.index(problem or "not_a_number"), possible
    if pence in shifted:
        return 0, _CODES.index("decimal_shift"), pence // 100
    return (pence, _OK, -1) if pence <= limit else (0, _CODES.index("above_limit"), -1)


def _judge_payments(payment: pa.DictionaryArray) -> np.ndarray:
    """Index into PAYMENT_TYPES, or -1 when it is none of them, per row."""
    words = [(word or "").strip().lower() for word in payment.dictionary.to_pylist()]
    index = np.array([PAYMENT_TYPES.index(word) if word in PAYMENT_TYPES else -1 for word in words], np.int8)
    kinds: np.ndarray = index[_indices(payment)]
    return kinds


def _flags(truck: np.ndarray, kind: np.ndarray, seconds: np.ndarray, files: pa.Table, at: np.ndarray,
           rules: Rules) -> np.ndarray:  # fmt: skip
    card = kind == PAYMENT_TYPES.index("card")
    first, last = _seconds(files["window_from"])[at], _seconds(files["window_to"])[at]
    outside = (last > 0) & ((seconds < first) | (seconds >= last))
    flags: np.ndarray = (
        (card & np.isin(truck, list(rules.without_reader))) * FLAGS["card_without_reader"]
        + outside * FLAGS["outside_batch_window"]
        + ~np.isin(truck, list(rules.known)) * FLAGS["unknown_truck"]
    )
    return flags


def _is_whole_line(raw: pa.Table) -> np.ndarray:
    """Whether a row could not be told into cells: then it stands as it was written, and nothing of it is judged."""
    whole: np.ndarray = pc.is_valid(raw["line"]).to_numpy()
    return whole


def _first(reason: np.ndarray, found: np.ndarray, code: str) -> np.ndarray:
    """Give the rows found a reason unless they have one: the total's wins over the time's over the payment's."""
    return np.where((reason == _OK) & found, _CODES.index(code), reason)


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A text column as distinct values and positions, an absent cell being the empty text."""
    column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        return pc.fill_null(column, "").dictionary_encode()
    if not column.null_count:
        return column
    words = pa.concat_arrays([column.dictionary, pa.array([""])])
    return pa.DictionaryArray.from_arrays(column.indices.fill_null(len(column.dictionary)), words)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _indices(coded: pa.DictionaryArray) -> np.ndarray:
    places: np.ndarray = coded.indices.to_numpy(zero_copy_only=False)
    return places


def _positions(values: pa.ChunkedArray, among: pa.ChunkedArray) -> np.ndarray:
    places: np.ndarray = pc.index_in(values, among.combine_chunks()).to_numpy()
    return places


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    numbers: np.ndarray = pc.fill_null(column, 0).to_numpy()
    return numbers


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    return _numbers(column.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()))
