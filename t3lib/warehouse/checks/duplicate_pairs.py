"""Pairs of loaded files of a truck that hold the same sales."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from t3lib.warehouse.files.common_sales import compare

# Files that begin before an earlier one has ended; few do, since batches follow each other. Two loaded spellings of a
# key are a pair at any hours.
_MEETING = sa.text("""
    WITH loaded AS (
        SELECT file_id, truck_id, key, logical_key, first_sale_at, last_sale_at,
               max(last_sale_at) OVER (PARTITION BY truck_id ORDER BY first_sale_at, file_id
                                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
        FROM ops.source_file
        WHERE state = 'loaded' AND kind IN ('sales', 'history') AND first_sale_at IS NOT NULL
    ),

    meeting AS (
        SELECT later.truck_id, later.file_id, earlier.file_id AS other_id
        FROM loaded AS later
        JOIN loaded AS earlier ON earlier.truck_id = later.truck_id AND earlier.last_sale_at >= later.first_sale_at
            AND (earlier.first_sale_at, earlier.file_id) < (later.first_sale_at, later.file_id)
        WHERE later.busy_until >= later.first_sale_at
        UNION
        SELECT twin.truck_id, head.file_id, twin.file_id
        FROM ops.source_file AS twin
        JOIN ops.source_file AS head USING (logical_key)
        WHERE twin.is_twin AND twin.state = 'loaded' AND head.state = 'loaded' AND NOT head.is_twin
    )

    SELECT file.truck_id, file.file_id, other.file_id AS other_id, file.key, other.key AS other_key,
           file.logical_key = other.logical_key AS are_versions,
           EXISTS (SELECT FROM ops.source_file AS version
                   WHERE version.may_repeat
                     AND version.logical_key IN (file.logical_key, other.logical_key)) AS released
    FROM meeting
    JOIN ops.source_file AS file ON file.file_id = meeting.file_id
    JOIN ops.source_file AS other ON other.file_id = meeting.other_id
    ORDER BY file.truck_id, file.file_id, other.file_id
""")
_SALES = sa.text("""
    SELECT sold_at, payment_type, total_pence FROM core.sale WHERE truck_id = :truck AND file_id = :file
""")


@dataclass(frozen=True)
class Pair:
    """Two loaded files, their common sales, and whether a person released one of them despite the other."""

    key: str
    other_key: str
    common: int
    released: bool

    def __str__(self) -> str:
        return f"{self.key} and {self.other_key} ({self.common:,} common)"


def alike(db: sa.Connection) -> list[Pair]:
    """Every pair that shares most sales of the shorter file, or is two loaded spellings of one key."""
    meeting = db.execute(_MEETING).all()
    return [pair for _, rows in groupby(meeting, lambda row: row.truck_id) for pair in _of_truck(db, list(rows))]


def _of_truck(db: sa.Connection, rows: list[sa.Row[Any]]) -> Iterator[Pair]:
    sold: dict[int, pa.Table] = {}
    for row in rows:
        for file in {row.file_id, row.other_id} - set(sold):
            sold[file] = _sales(db, row.truck_id, file)
        found = compare(sold[row.file_id], sold[row.other_id])
        if row.are_versions or (found and (found.same or found.most)):
            yield Pair(row.key, row.other_key, found.rows if found else 0, row.released)


def _sales(db: sa.Connection, truck: int, file: int) -> pa.Table:
    import pandas as pd

    found = pd.read_sql(_SALES, db, params={"truck": truck, "file": file})
    at = pa.array(pd.to_datetime(found["sold_at"], utc=True), pa.timestamp("us", "UTC"))
    payments, pence = (pa.array(found[name], kind) for name, kind in
                       (("payment_type", pa.string()), ("total_pence", pa.int32())))  # fmt: skip
    return pa.table({"sold_at": at, "payment_type": payments, "total_pence": pence})
