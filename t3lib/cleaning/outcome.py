"""What the rules make of a batch: their verdicts on distinct values, spread over its rows."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from t3lib.cleaning.frames import Frames
from t3lib.cleaning.rules import INT32_MAX, NONE, RuleError, Rules
from t3lib.feed.rows import PAYMENT_TYPES


@dataclass(frozen=True)
class Cleaned:
    """`sales` has the columns of core.sale, `rejects` those of ops.rejected_row; together one row per raw row."""

    sales: pa.Table
    rejects: pa.Table


def outcome(frames: Frames, rules: Rules, bits: dict[str, int]) -> Cleaned:
    """Sales and rejects of a batch under its rules. bits: the number of each flag.

    Raises RuleError where a row is neither rejected nor a sale that can be booked."""
    codes = list(rules.stated)
    row, moment = frames.of_rows.places, frames.of_moments.places
    of_row, of_moment = rules.first(False), rules.first(True)
    reason = np.minimum(of_row[row], of_moment[moment])
    pence = rules.rows["pence"].fillna(0).to_numpy(np.int64)
    kind = rules.rows["payment"].map({name: n for n, name in enumerate(PAYMENT_TYPES)}).fillna(-1).to_numpy(np.int8)
    _must_be_bookable(frames, rules, of_row, of_moment, reason, pence, kind)
    sold, refused = np.flatnonzero(reason == NONE), np.flatnonzero(reason != NONE)
    raw, sold_at = frames.raw, frames.stamps.cast(pa.timestamp("us", "UTC"))

    def placed(at: np.ndarray) -> dict[str, pa.Array]:
        when = pa.array(frames.stamp[at])
        return {
            "truck_id": pa.array(frames.truck[at], pa.int32()),
            "file_id": raw["file_id"].take(pa.array(at)),
            "row_number": raw["row_number"].take(pa.array(at)),
            "sold_at": sold_at.take(when),
            "business_date": frames.dates.take(when),
        }

    sales = placed(sold) | {
        "local_hour": frames.hours.take(pa.array(frames.stamp[sold])),
        "payment_type": pa.array(PAYMENT_TYPES).take(pa.array(kind[row[sold]])),
        "total_pence": pa.array(pence[row[sold]], pa.int32()),
        "flags": pa.array(_flags(rules, bits, row[sold], moment[sold]), pa.int16()),
    }
    suggested = _suggestions(rules, of_row)[row[refused]]
    suggested = np.where(of_row[row[refused]] == reason[refused], suggested, -1)
    rejects = placed(refused) | {
        **{
            f"raw_{name}": raw[name].take(pa.array(refused)).cast(pa.string())
            for name in ("timestamp", "type", "total", "line")
        },
        "reason": pa.array(codes, pa.string()).take(pa.array(reason[refused])),
        "suggested_pence": pa.array(suggested, pa.int32(), mask=suggested < 0),
    }
    return Cleaned(pa.table(sales), pa.table(rejects))


def _flags(rules: Rules, bits: dict[str, int], row: np.ndarray, moment: np.ndarray) -> np.ndarray:
    flags = {False: np.zeros(len(rules.rows), np.int16), True: np.zeros(len(rules.moments), np.int16)}
    for rule in rules.stated.values():
        if not rule.rejects:
            flags[rule.of_moments][rule.caught] |= bits[rule.code]
    return flags[False][row] | flags[True][moment]


def _suggestions(rules: Rules, of_row: np.ndarray) -> np.ndarray:
    """The suggestion of the rule that rejects each distinct row, -1 where it has none."""
    found = np.full(len(rules.rows), -1, np.int32)
    for number, rule in enumerate(rules.stated.values()):
        if rule.suggested is not None:
            found = np.where(of_row == number, rule.suggested, found)
    return found


def _must_be_bookable(frames, rules, of_row, of_moment, reason, pence, kind) -> None:
    """Raise RuleError unless every row that no rule rejects has pence, a payment and a time."""
    row, moment = frames.of_rows.places, frames.of_moments.places
    missing_pence = rules.rows["pence"].isna().to_numpy()
    for what, bad, places in (
        ("no amount", missing_pence, row),
        ("an amount of zero or less", ~missing_pence & (pence <= 0), row),
        (f"an amount above {INT32_MAX / 100:,.2f}", pence > INT32_MAX, row),
        ("no payment that is read", kind < 0, row),
        ("no time", rules.moments["sold_at"].isna().to_numpy(), moment),
    ):
        own = of_row if places is row else of_moment
        if not (bad & (own == NONE)).any():
            continue
        found = np.flatnonzero(bad[places] & (reason == NONE))
        if len(found):
            text = rules.rows["total"].iloc[row[found[0]]]
            raise RuleError(
                f"{len(found):,} rows have {what} and no rule rejects them, such as a total of {text!r}: nothing is loaded. Add a rule that rejects them."
            )
