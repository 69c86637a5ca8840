"""The complete rows of a sales file as written, with the columns that are not read."""

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from t3lib.feed import csv_records
from t3lib.feed.bounds import MOST_IN_ROW, FeedError, visible
from t3lib.feed.parquet import ROWS_AT_ONCE
from t3lib.feed.rows import text


def raw_text(key: str, data: bytes, numbers: Collection[int]) -> dict[int, str]:
    """The text of these rows by row number, from 1. Raises FeedError.

    A row of a Parquet file is shown as name=value."""
    wanted = set(numbers)
    rows = _of_parquet(data, wanted) if key.endswith(".parquet") else _of_text(data)
    return {number: line[:MOST_IN_ROW] for number, line in rows if number in wanted}


def _of_text(data: bytes) -> Iterator[tuple[int, str]]:
    found = csv_records.records(csv_records.split_header(text(data)), lambda cells: False)
    return ((number, record.text) for number, record in enumerate(found, 1))


def _of_parquet(data: bytes, wanted: set[int]) -> Iterator[tuple[int, str]]:
    try:
        first = 1
        for batch in pq.ParquetFile(pa.BufferReader(data)).iter_batches(ROWS_AT_ONCE, use_threads=False):
            for number in wanted.intersection(range(first, first + batch.num_rows)):
                values = zip(batch.schema.names, batch.slice(number - first, 1).columns, strict=True)
                yield number, visible(", ".join(f"{name}={value[0].as_py()}" for name, value in values))
            first += batch.num_rows
    except pa.ArrowException as error:
        raise FeedError("unreadable", f"Not a complete Parquet file ({str(error)[:80]}).") from None
