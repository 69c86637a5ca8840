"""What a load changes by truck and business day, against what stood before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from t3lib.warehouse.db.cursor import Cursor

Day: TypeAlias = tuple[int, date]
Sums: TypeAlias = dict[Day, tuple[int, int]]  # rows and pence by truck and business day

_STANDING = """
    SELECT truck_id, business_date, sum(transactions)::bigint AS rows, sum(total_pence)::bigint AS pence
    FROM mart.sales_hourly
    WHERE business_date = ANY($1)
    GROUP BY truck_id, business_date
"""


@dataclass(frozen=True)
class DayChange:
    """One truck and business day: how many sales it had and has, and their sum in pence."""

    truck_id: int
    business_date: date
    rows_before: int
    rows_after: int
    pence_before: int
    pence_after: int


def of_delta(cursor: Cursor, delta: pa.Table) -> list[DayChange]:
    """What a change of the rollups (`rollups.sold_delta`) changes; call it before they are updated."""
    moved = _summed(delta, "transactions", "total_pence")
    return changes(moved, standing(cursor, moved))


def changes(moved: Sums, before: Sums) -> list[DayChange]:
    """One line per truck and day that is moved, by truck."""
    return [
        DayChange(*day, rows, rows + more_rows, pence, pence + more_pence)
        for day, (more_rows, more_pence) in sorted(moved.items())
        for rows, pence in [before.get(day, (0, 0))]
    ]


def add(sums: Sums, day: Day, rows: int, pence: int) -> None:
    """Add rows and pence to a truck and day."""
    before = sums.get(day, (0, 0))
    sums[day] = before[0] + rows, before[1] + pence


def delta(inserted: pa.Table, deleted: pa.Table) -> Sums:
    """The change of rows and pence by truck and day, by sales (columns of core.sale)."""
    columns = ["truck_id", "business_date", "total_pence"]
    both = pa.concat_tables([table.select(columns) for table in (inserted, deleted)])
    signs = np.repeat(np.array([1, -1], np.int64), [inserted.num_rows, deleted.num_rows])
    pence = pa.array(both["total_pence"].to_numpy().astype(np.int64) * signs)
    signed = both.drop_columns("total_pence").append_column("rows", pa.array(signs)).append_column("pence", pence)
    return _summed(signed, "rows", "pence")


def _summed(table: pa.Table, rows: str, pence: str) -> Sums:
    found = table.group_by(["truck_id", "business_date"]).aggregate([(rows, "sum"), (pence, "sum")]).to_pylist()
    return {(row["truck_id"], row["business_date"]): (row[f"{rows}_sum"], row[f"{pence}_sum"]) for row in found}


def standing(cursor: Cursor, days: Iterable[Day]) -> Sums:
    """What the rollup holds of the days of these."""
    dates = sorted({day for _, day in days})
    if not dates:
        return {}
    cursor.execute(_STANDING, [dates])
    return {(row["truck_id"], row["business_date"]): (row["rows"], row["pence"]) for row in cursor.table().to_pylist()}
