"""Where a day is stored in the archive, and the columns of its rows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = "business_month="
# One row per sale: core.sale, where it was made, and the object that it came from. Pence are integers, stamps UTC.
# What the folders say (business_month, truck_id) is not repeated in the files: Trino and Hive refuse that.
SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("row_number", pa.int32()), ("sold_at", pa.timestamp("us", "UTC")),
     ("business_date", pa.date32()), ("local_hour", pa.int16()), ("payment_type", pa.string()),
     ("total_pence", pa.int32()), ("flags", pa.int16()), ("location_id", pa.int32()), ("source_key", pa.string())]
)  # fmt: skip
FOLDERS = pa.schema([("business_month", pa.string()), ("truck_id", pa.int32())])

_KEY = re.compile(r"business_month=\d{4}-\d{2}/truck_id=(\d{1,9})/(\d{4}-\d{2}-\d{2})\.parquet")


@dataclass(frozen=True, order=True)
class Day:
    """A truck's business day: the grain of the archive's objects."""

    business_date: date
    truck_id: int

    @property
    def month(self) -> str:
        """The value of business_month."""
        return f"{self.business_date:%Y-%m}"

    @property
    def key(self) -> str:
        """The object that holds it."""
        return f"{ROOT}{self.month}/truck_id={self.truck_id}/{self.business_date}.parquet"

    @classmethod
    def of(cls, key: str) -> "Day | None":
        """The day of an object; None for a key that the archive would not write."""
        found = _KEY.fullmatch(key)
        try:
            day = cls(date.fromisoformat(found[2]), int(found[1])) if found else None
        except ValueError:
            return None
        return day if day and day.key == key else None


def prefix(month: str | None = None) -> str:
    """The folder of a month, or of everything."""
    return f"{ROOT}{month}" if month else ""


def split(sales: pa.Table) -> dict[Day, pa.Table]:
    """The rows of each day, in the order of their sale."""
    order = ["truck_id", "business_date", "sold_at", "file_id", "row_number"]
    sales = sales.sort_by([(name, "ascending") for name in order])
    trucks, dates = sales["truck_id"].to_numpy(), sales["business_date"].cast(pa.int32()).to_numpy()
    starts = np.flatnonzero((np.diff(trucks, prepend=-1) != 0) | (np.diff(dates, prepend=-1) != 0)).tolist()
    days = (Day(sales["business_date"][start].as_py(), sales["truck_id"][start].as_py()) for start in starts)
    sizes = np.diff([*starts, sales.num_rows]).tolist()
    return {day: sales.slice(start, size) for day, start, size in zip(days, starts, sizes, strict=True)}


def encode(sales: pa.Table) -> pa.Buffer:
    """The Parquet file of a day's rows."""
    sink = pa.BufferOutputStream()
    pq.write_table(sales.select(SCHEMA.names).cast(SCHEMA), sink, compression="zstd", version="2.6")
    return sink.getvalue()


def between(first: str, last: str, found: Iterable[Day]) -> list[Day]:
    """The days from one month to another (YYYY-MM, both included; empty: no bound), in order."""
    return sorted(day for day in found if (not first or first <= day.month) and (not last or day.month <= last))
