"""Examples of what the rules make of literal rows: checked where the rules are stated, shown in docs/reasons.md."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd
import pyarrow as pa

from t3lib.cleaning.frames import Frames
from t3lib.cleaning.outcome import outcome
from t3lib.cleaning.rules import RuleError
from t3lib.cleaning.truck_facts import TruckFacts
from t3lib.feed.rows import COLUMNS, RAW_SCHEMA
from t3lib.money import pounds

if TYPE_CHECKING:
    from t3lib.cleaning.rulebook import Rulebook

Example: TypeAlias = tuple[str, str, str, str]  # time, payment, total, and what becomes of it
# Truck 1 sells one dish for 4.99 and has no card reader; its file covers the time from 12:00 to 15:00.
_TRUCK, _FACTS = 1, TruckFacts(prices={1: {499}}, without_reader=frozenset({1}), known=frozenset({1}))
_UTC = pa.timestamp("us", "UTC")
_FILES = pa.table(
    {
        "file_id": pa.array([1], pa.int64()),
        "truck_id": pa.array([_TRUCK], pa.int32()),
        "uploaded_at": pa.array([datetime(2026, 11, 5, 15, 5, tzinfo=UTC)], _UTC),
        "window_from": pa.array([datetime(2026, 11, 5, 12, tzinfo=UTC)], _UTC),
        "window_to": pa.array([datetime(2026, 11, 5, 15, tzinfo=UTC)], _UTC),
    }
)


def check(book: "Rulebook", examples: Sequence[Example]) -> pd.DataFrame:
    """The examples as a table, each with what becomes of it. Raises RuleError where that is not what they say.

    What becomes of a row: the code of its reason, with a suggestion behind it ('decimal_shift: £4.99'), or the sale
    ('£4.99 card') with its flags ('£4.99 card, outside_batch_window')."""
    table = pd.DataFrame(examples, columns=[*COLUMNS, "becomes"]).astype("str")
    found = _becomes(book, table)
    wrong = [(row, said) for row, said in zip(table.to_numpy().tolist(), found, strict=True) if row[-1] != said]
    if wrong:
        (*cells, expected), said = wrong[0]
        raise RuleError(
            f"The example {tuple(cells)} becomes {said!r}, not {expected!r}: change the rule or the example."
        )
    return table


def _becomes(book: "Rulebook", table: pd.DataFrame) -> list[str]:
    columns = {name: pa.array(table[name]) for name in COLUMNS}
    numbers = {"file_id": pa.array([1] * len(table)), "row_number": pa.array(range(len(table)))}
    raw = pa.table(numbers | columns | {"line": pa.nulls(len(table))}).cast(RAW_SCHEMA)
    stated = book.state(Frames(raw, _FILES, _FACTS).rules())
    flags = {
        code: 1 << place for place, code in enumerate(code for code, rule in stated.stated.items() if not rule.rejects)
    }
    cleaned = outcome(stated, flags)
    said = {row["row_number"]: _reject(row["reason"], row["suggested_pence"]) for row in cleaned.rejects.to_pylist()}
    for sale in cleaned.sales.to_pylist():
        named = [code for code, bit in flags.items() if sale["flags"] & bit]
        said[sale["row_number"]] = ", ".join([f"{pounds(sale['total_pence'])} {sale['payment_type']}", *named])
    return [said[number] for number in range(len(table))]


def _reject(reason: str, suggested: int | None) -> str:
    return reason if suggested is None else f"{reason}: {pounds(suggested)}"
