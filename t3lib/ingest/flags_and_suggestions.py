"""Flags of sales and suggested totals of rejects that other rules would set: by code, truck and business day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from t3lib.warehouse.load.reloading import Comparison

FLAG, SUGGESTION = "flag", "suggestion"
_LINE = ["file_id", "row_number"]
_PLACE = ["truck_id", "business_date"]
_COUNTS = ("gained", "lost", "changed", "pence")
# A code, whether it is a flag or a suggestion, a truck, and a business day (None where the row has no time).
Key: TypeAlias = tuple[str, str, int, date | None]


@dataclass
class Count:
    """How many rows get a flag or suggestion, lose it, or get another value; pence that suggested totals gain."""

    gained: int = 0
    lost: int = 0
    changed: int = 0
    pence: int = 0

    def add(self, other: "Count") -> None:
        """Add another count to this one."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def counts(compared: Comparison, bits: Mapping[str, int]) -> Iterator[tuple[Key, Count]]:
    """What the rows that differ change. bits: the number of each flag by its code."""
    for code, bit in bits.items():
        before, after = (_with_flag(sales, bit) for sales in (compared.deleted, compared.inserted))
        yield from _counted(_minus(after, before), code, FLAG, "gained")
        yield from _counted(_minus(before, after), code, FLAG, "lost")
    then, now = (_with_suggestion(table) for table in (compared.rejects_deleted, compared.rejects_inserted))
    for code in sorted({*then["reason"].to_pylist(), *now["reason"].to_pylist()}):
        before, after = (table.filter(pc.equal(table["reason"], code)) for table in (then, now))
        yield from _counted(_minus(after, before), code, SUGGESTION, "gained")
        yield from _counted(_negative(_minus(before, after)), code, SUGGESTION, "lost")
        yield from _counted(_other_value(before, after), code, SUGGESTION, "changed")


def summed(found: Mapping[Key, Count], names: Sequence[str]) -> list[dict[str, Any]]:
    """One row per combination of these of code, what, truck_id and business_date, with its counts."""
    sums: dict[tuple[Any, ...], Count] = {}
    for key, count in found.items():
        named = dict(zip(("code", "what", *_PLACE), key, strict=True))
        sums.setdefault(tuple(named[name] for name in names), Count()).add(count)
    ordered = sorted(sums.items(), key=lambda item: [(part is not None, part) for part in item[0]])
    return [dict(zip(names, key, strict=True)) | vars(count) for key, count in ordered]


def _with_flag(sales: pa.Table, bit: int) -> pa.Table:
    found = sales.filter(pc.not_equal(pc.bit_wise_and(sales["flags"], pa.scalar(bit, pa.int16())), 0))
    return found.select([*_LINE, *_PLACE]).append_column("pence", pa.repeat(pa.scalar(0, pa.int64()), len(found)))


def _with_suggestion(rejects: pa.Table) -> pa.Table:
    """Rejects as `Comparison` has them: -1 stands for no suggestion, and for no day."""
    found = rejects.filter(pc.greater_equal(rejects["suggested_pence"], 0))
    days = found["business_date"]
    days = pc.if_else(pc.equal(days, -1), pa.scalar(None, pa.int32()), days).cast(pa.date32())
    made = found.select([*_LINE, "truck_id", "reason"]).append_column("business_date", days)
    return made.append_column("pence", found["suggested_pence"].cast(pa.int64()))


def _minus(these: pa.Table, those: pa.Table) -> pa.Table:
    return these.join(those.select(_LINE), keys=_LINE, join_type="left anti")


def _other_value(before: pa.Table, after: pa.Table) -> pa.Table:
    both = after.join(before.select([*_LINE, "pence"]), keys=_LINE, join_type="inner", right_suffix="_before")
    both = both.filter(pc.not_equal(both["pence"], both["pence_before"]))
    return both.set_column(both.schema.get_field_index("pence"), "pence",
                           pc.subtract(both["pence"], both["pence_before"]))  # fmt: skip


def _negative(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index("pence"), "pence", pc.negate(rows["pence"]))


def _counted(rows: pa.Table, code: str, what: str, how: str) -> Iterator[tuple[Key, Count]]:
    for row in rows.group_by(_PLACE).aggregate([([], "count_all"), ("pence", "sum")]).to_pylist():
        yield (
            (code, what, row["truck_id"], row["business_date"]),
            Count(**{how: row["count_all"]}, pence=row["pence_sum"] or 0),
        )
