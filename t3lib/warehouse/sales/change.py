"""A change of loaded figures in one transaction: insert and delete sales, recount the ledger, update the rollups."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import sqlalchemy as sa

from t3lib.warehouse.db import locks
from t3lib.warehouse.db.cursor import Cursor, transaction
from t3lib.warehouse.sales import restatements, rollups
from t3lib.warehouse.sales.day_changes import DayChange

SALE_SCHEMA = pa.schema(
    [("truck_id", pa.int32()), ("file_id", pa.int64()), ("row_number", pa.int32()),
     ("sold_at", pa.timestamp("us", "UTC")), ("business_date", pa.date32()), ("local_hour", pa.int16()),
     ("payment_type", pa.string()), ("total_pence", pa.int32()), ("flags", pa.int16())]
)  # fmt: skip
_SALE_KEY = ["truck_id", "file_id", "row_number", "business_date"]
_SALES = """
    SELECT sale.truck_id, sale.file_id::bigint, row_number, sold_at, business_date, local_hour, payment_type,
           total_pence, flags
    FROM core.sale
    JOIN ops.source_file AS file ON file.file_id = sale.file_id AND file.truck_id = sale.truck_id
    WHERE file.file_id = ANY($1)
"""
_RECOUNT = """
    UPDATE ops.source_file AS file
    SET rows_read = coalesce(recounted.rows_read, file.rows_read), rows_loaded = sold.rows, pence_loaded = sold.pence,
        rows_rejected = refused.rows, first_sale_at = sold.first_sale_at, last_sale_at = sold.last_sale_at,
        warnings = CASE WHEN sold.is_unknown THEN ARRAY['unknown_truck'] ELSE '{}' END
    FROM recounted
    JOIN ops.source_file AS same USING (file_id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows, coalesce(sum(total_pence), 0)::bigint AS pence, min(sold_at) AS first_sale_at,
               max(sold_at) AS last_sale_at, coalesce(bool_or(flags >= 4), false) AS is_unknown
        FROM core.sale
        WHERE sale.truck_id = same.truck_id AND sale.file_id = same.file_id
    ) AS sold
    CROSS JOIN LATERAL (
        SELECT count(*) AS rows FROM ops.rejected_row
        WHERE rejected_row.file_id = same.file_id AND status IN ('open', 'dismissed')
    ) AS refused
    WHERE file.file_id = recounted.file_id
"""
# When a file or a person last changed trucks, menus and pitches: under which dimensions a batch was cleaned.
_DIMENSIONS = """
    SELECT coalesce(greatest(
        (SELECT max(finished_at) FROM ops.source_file WHERE kind = 'metadata' AND state = 'loaded'),
        (SELECT max(made_at) FROM ops.audit WHERE action = 'apply'))::text, '') AS changed_at
"""


class DimensionsChangedError(Exception):
    """Trucks, menus or pitches changed since the batch was cleaned; clean it again."""


@contextmanager
def changing(url: str | None = None) -> Iterator[Cursor]:
    """A cursor in a transaction that commits on success; meanwhile the dimensions cannot change."""
    with transaction(url) as cursor:
        cursor.execute(locks.DIMENSIONS_SHARED)
        yield cursor


def dimensions_stamp(db: sa.Connection) -> str:
    """A stamp that changes with every change of the dimensions; read it before the facts that come from them."""
    return db.scalar(sa.text(_DIMENSIONS)) or ""


def require_dimensions(cursor: Cursor, stamp: str | None) -> None:
    """Raise DimensionsChangedError unless the dimensions still have this stamp (None: any)."""
    cursor.execute(_DIMENSIONS)
    if stamp is not None and cursor.table()["changed_at"][0].as_py() != stamp:
        raise DimensionsChangedError("Trucks, menus or pitches changed since this batch was cleaned.")


def sales_of(cursor: Cursor, file_ids: list[int]) -> pa.Table:
    """The loaded sales of these files (columns of core.sale)."""
    if not file_ids:
        return SALE_SCHEMA.empty_table()
    return cursor.copy_out(_SALES, [file_ids], SALE_SCHEMA)


def add_sales(cursor: Cursor, sales: pa.Table) -> None:
    """Add sales (columns of SALE_SCHEMA); in the table file_id has four bytes."""
    place = sales.schema.get_field_index("file_id")
    cursor.copy_in("core.sale", sales.set_column(place, "file_id", sales["file_id"].cast(pa.int32())))


def apply(
    cursor: Cursor,
    inserted: pa.Table,
    deleted: pa.Table,
    labels: dict[int, restatements.Label],
    rows_read: Mapping[int, int | None],
    *,
    batch_id: str = "",
    actor: str = "",
    why: str = "",
) -> list[DayChange]:
    """Delete and insert sales, recount the files, record the restatements, update the rollups; what that changes by
    truck and business day.

    rows_read: the files to recount, each with its new number of rows read or None. Lock them first, by file_id."""
    if deleted.num_rows:
        delete_rows(cursor, "core.sale", deleted.select(_SALE_KEY))
    if inserted.num_rows:
        add_sales(cursor, inserted)
    recount(cursor, rows_read)
    restatements.record(cursor, inserted, deleted, labels, batch_id=batch_id, actor=actor, why=why)
    changes = rollups.update(cursor, inserted, deleted)
    rollups.raise_watermark(cursor)
    return changes


def recount(cursor: Cursor, rows_read: Mapping[int, int | None]) -> None:
    """Set the ledger's counts of these loaded files to what the tables hold; rows read stay unless given.

    The database refuses the result unless rows read = rows loaded + rows rejected."""
    files = pa.table({"file_id": pa.array(list(rows_read), pa.int64()),
                      "rows_read": pa.array(list(rows_read.values()), pa.int64())})  # fmt: skip
    cursor.temporary_table("recounted", files)
    cursor.execute(_RECOUNT)
    cursor.execute("DROP TABLE recounted")


def delete_rows(cursor: Cursor, table: str, keys: pa.Table) -> None:
    """Delete the rows of a table that have these keys."""
    cursor.temporary_table("to_delete", keys)
    same = " AND ".join(f"kept.{name} = to_delete.{name}" for name in keys.column_names)
    cursor.execute(f"DELETE FROM {table} AS kept USING to_delete WHERE {same}")
    cursor.execute("DROP TABLE to_delete")
