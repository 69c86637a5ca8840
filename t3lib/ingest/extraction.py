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
from t3lib.settlements import reading
from t3lib.settlements.layouts import layouts
from t3lib.warehouse.files.file_outcomes import FILES_SCHEMA
from t3lib.warehouse.files.ledger import File

READ, DOUBTED = "loaded", "held_columns"
UNFORESEEN = "It could not be read"
Dimensions = dict[str, list[dict[str, Any]]]


@dataclass
class Extract:
    """raw: one row per row read. files: one row per file. dimensions: records of the metadata files by table.
    statements: what files of providers and banks say, by file id as text."""

    raw: pa.Table
    files: pa.Table
    dimensions: Dimensions = field(default_factory=dict)
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)


def extract(files: list[File], landing: Landing) -> Extract:
    """Read the file versions concurrently; one that cannot be read gets its outcome, the others are still read.

    Raises the store's error (after its own retries) when the store does not answer: that is not the file's fault."""
    tables: list[pa.Table] = []
    outcomes: list[dict[str, Any]] = []
    dimensions: Dimensions = {}
    statements: dict[str, dict[str, Any]] = {}
    wanted = [(f.key, f.etag) for f in files]
    for file, data in zip(files, landing.read_many(wanted, feed.MOST_BYTES), strict=True):
        rows, found, outcome = _one(file, data)
        if rows is not None:
            tables.append(_numbered(file.file_id, rows))
        if "statement" in found:
            (statements[str(file.file_id)],) = found.pop("statement")
        dimensions |= found
        outcomes.append(outcome)
    raw = pa.concat_tables([feed.RAW_SCHEMA.empty_table(), *tables]).unify_dictionaries().combine_chunks()
    return Extract(raw, pa.Table.from_pylist(outcomes, schema=FILES_SCHEMA), dimensions, statements)


def _one(file: File, data: bytes | Exception) -> tuple[pa.Table | None, Dimensions, dict[str, Any]]:
    """(rows of a sales file, records of a metadata file or the one statement of a provider or bank, outcome)."""
    if isinstance(data, Exception):
        return None, {}, _outcome(file, *_fetch_failure(data))
    try:
        if file.kind == "metadata":
            found = read_metadata(file.key, data)
            return None, found, _outcome(file, READ, None, data, sum(map(len, found.values())))
        if file.kind == "settlement":
            statement = reading.read(file.key, data, layouts())
            return None, {"statement": [vars(statement)]}, _outcome(file, READ, None, data, len(statement.lines))
        examined = feed.examine(file.key, data)
        state, reason = _state_of(examined, file.all_sales)
        outcome = _outcome(file, state, reason, data, examined.rows.num_rows)
        return examined.rows, {}, outcome | {"columns_not_read": examined.columns_not_read}
    except feed.FeedError as error:
        return None, {}, _outcome(file, error.state, str(error), data)
    except Exception as error:  # a gap in our readers must not keep the other files of the batch out
        reason = f"{UNFORESEEN} ({type(error).__name__}: {' '.join(str(error).split())[:80]}): upload it again."
        return None, {}, _outcome(file, "unreadable", feed.visible(reason), data)


def _fetch_failure(error: Exception) -> tuple[str, str]:
    """(state, reason) of a file version that could not be fetched. Raises errors that are not about this file."""
    if isinstance(error, ObjectNotGivenError):
        return "unreadable", "The bucket lists this version but does not return it: upload it again."
    if isinstance(error, ObjectChangedError):
        return "superseded", "Replaced or removed in the bucket before it was read; the newer version has its own line."
    if isinstance(error, ObjectTooLargeError):
        most = feed.MOST_BYTES // 2**20
        return "unreadable", f"The file is larger than {most} MB: split it and upload the parts."
    raise error


def _state_of(found: feed.Reading, all_sales: bool) -> tuple[str, str | None]:
    """(state, reason) of a file that could be read. A file whose columns leave a doubt is staged too: a person may
    release it."""
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
