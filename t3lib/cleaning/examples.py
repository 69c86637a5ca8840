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

# Time, payment, total, and what becomes of it; or a line that has other cells than these three, and what becomes of it.
Example: TypeAlias = tuple[str, str, str, str] | tuple[str, str]
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
    for (*cells, expected), said in zip(examples, _becomes(book, examples), strict=True):
        if said != expected:
            raise RuleError(f"The example {cells} becomes {said!r}, not {expected!r}: change the rule or the example.")
    return pd.DataFrame([(text(example), example[-1]) for example in examples], columns=["row", "becomes"])


def text(example: Example) -> str:
    """The row of an example, as a line."""
    return example[0] if len(example) == 2 else ", ".join(example[:-1])


def _becomes(book: "Rulebook", examples: Sequence[Example]) -> list[str]:
    rows = [{"file_id": 1, "row_number": number} | _cells(example) for number, example in enumerate(examples)]
    raw = pa.Table.from_pylist(rows, schema=RAW_SCHEMA)
    rules = Frames(raw, _FILES, _FACTS).rules()
    rules.is_trial = True
    stated = book.state(rules)
    flagging = [code for code, rule in stated.stated.items() if not rule.rejects]
    flags = {code: 1 << place for place, code in enumerate(flagging)}
    cleaned = outcome(stated, flags)
    said = {row["row_number"]: _reject(row["reason"], row["suggested_pence"]) for row in cleaned.rejects.to_pylist()}
    for sale in cleaned.sales.to_pylist():
        named = [code for code, bit in flags.items() if sale["flags"] & bit]
        said[sale["row_number"]] = ", ".join([f"{pounds(sale['total_pence'])} {sale['payment_type']}", *named])
    return [said[number] for number in range(len(examples))]


def _cells(example: Example) -> dict[str, str]:
    return {"line": example[0]} if len(example) == 2 else dict(zip(COLUMNS, example, strict=False))


def _reject(reason: str, suggested: int | None) -> str:
    return reason if suggested is None else f"{reason}: {pounds(suggested)}"
