"""Reading the files of a batch: every row as text, every file with an outcome."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from t3lib import feed
from t3lib.feed.keys import batch_window
from t3lib.feed.metadata import read_metadata
from t3lib.landing import Landing, ObjectChangedError, ObjectNotGivenError, ObjectTooLargeError
from t3lib.warehouse.files.ledger import File

_UTC = pa.timestamp("us", "UTC")
FILES_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("key", pa.string()), ("kind", pa.string()), ("truck_id", pa.int32()),
     ("state", pa.string()), ("reason", pa.string()), ("content_sha256", pa.string()), ("rows_read", pa.int64()),
     ("uploaded_at", _UTC), ("window_from", _UTC), ("window_to", _UTC), ("columns_not_read", pa.list_(pa.string()))]
)  # fmt: skip
READ, DOUBTED = "loaded", "held_columns"
UNFORESEEN = "It holds what no reader foresaw"


@dataclass
class Extract:
    """raw: one row per row read. files: one row per file. dimensions: metadata tables by name."""

    raw: pa.Table
    files: pa.Table
    dimensions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def extract(files: list[File], landing: Landing) -> Extract:
    """Read each file version concurrently; one that cannot be read gets its outcome, the rest go on.

    Raises what the store raises (after its own retries) when it does not answer: that is not the file's fault."""
    tables, outcomes, dimensions = [], [], {}
    wanted = [(f.key, f.etag) for f in files]
    for file, data in zip(files, landing.read_many(wanted, feed.MOST_BYTES), strict=True):
        rows, found, outcome = _one(file, data)
        if rows is not None:
            tables.append(_numbered(file.file_id, rows))
        dimensions |= found
        outcomes.append(outcome)
    raw = pa.concat_tables([feed.RAW_SCHEMA.empty_table(), *tables]).unify_dictionaries().combine_chunks()
    return Extract(raw, pa.Table.from_pylist(outcomes, schema=FILES_SCHEMA), dimensions)


def _one(file: File, data: bytes | Exception) -> tuple[pa.Table | None, dict[str, Any], dict[str, Any]]:
    if isinstance(data, ObjectNotGivenError):
        return (
            None,
            {},
            _outcome(file, "unreadable", "The bucket lists this version and does not give it: upload it again."),
        )
    if isinstance(data, ObjectChangedError):
        reason = "Replaced or removed in the bucket before it was read; the newer version has its own line."
        return None, {}, _outcome(file, "superseded", reason)
    if isinstance(data, ObjectTooLargeError):
        most = feed.MOST_BYTES // 2**20
        return None, {}, _outcome(file, "unreadable", f"The file is larger than {most} MB: split it, upload the parts.")
    if isinstance(data, Exception):
        raise data
    try:
        if file.kind == "metadata":
            found = read_metadata(file.key, data)
            return None, found, _outcome(file, READ, None, data, sum(map(len, found.values())))
        found = feed.examine(file.key, data)
        state, reason = _judged(found, file.all_sales)
        outcome = _outcome(file, state, reason, data, found.rows.num_rows)
        return found.rows, {}, outcome | {"columns_not_read": found.columns_not_read}
    except feed.FeedError as error:
        return None, {}, _outcome(file, error.state, str(error), data)
    except Exception as error:  # a gap in our readers must not keep the other files of the batch out
        reason = f"{UNFORESEEN} ({type(error).__name__}: {' '.join(str(error).split())[:80]}): upload it again."
        return None, {}, _outcome(file, "unreadable", feed.visible(reason), data)


def _judged(found: feed.Reading, all_sales: bool) -> tuple[str, str | None]:
    """Whether a file's rows are sales, and why not. Rows that are doubted are staged: a person may release them."""
    if found.doubt and not all_sales:
        said = f"It has a column that is not read and may say that rows are no sales: {found.doubt}."
        return DOUBTED, f"{said} Releasing it takes every row as a sale."
    return READ, None if found.rows.num_rows else "A header and no sales."


def _outcome(file: File, state: str, reason: str | None, data: bytes | None = None, rows: int = 0) -> dict[str, Any]:
    window: tuple[datetime | None, datetime | None] = (None, None)
    if file.batch_date is not None and file.batch_hour is not None:
        window = batch_window(file.batch_date, file.batch_hour)
    return {
        "file_id": file.file_id,
        "key": file.key,
        "kind": file.kind,
        "truck_id": file.truck_id,
        "state": state,
        "reason": reason,
        "content_sha256": None if data is None else hashlib.sha256(data).hexdigest(),
        "rows_read": rows,
        "uploaded_at": file.last_modified,
        "window_from": window[0],
        "window_to": window[1],
        "columns_not_read": [],
    }


def _numbered(file_id: int, rows: pa.Table) -> pa.Table:
    numbers = pa.array(np.arange(1, rows.num_rows + 1, dtype=np.int32))
    columns = [pa.repeat(pa.scalar(file_id, pa.int64()), rows.num_rows), numbers, *rows.columns]
    return pa.table(columns, schema=feed.RAW_SCHEMA)
