"""The dimensions in core, changed table by table from the metadata files, with the effects on loaded sales."""

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from t3lib.business_day import business_date
from t3lib.warehouse.db import locks
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.load import dated, dimension_effects
from t3lib.warehouse.load.dated import Cause, Measure, Version
from t3lib.warehouse.load.history import HISTORIES
from t3lib.warehouse.load.loading import Loaded

Record = dict[str, Any]

_UPSERT = {
    "truck": """
        INSERT INTO core.truck (truck_id, name, description, has_card_reader, fsa_rating)
        VALUES (:truck_id, :name, :description, :has_card_reader, :fsa_rating)
        ON CONFLICT (truck_id) DO UPDATE SET name = excluded.name, description = excluded.description,
            has_card_reader = excluded.has_card_reader, fsa_rating = excluded.fsa_rating, in_details = true
    """,
    "location": """
        INSERT INTO core.location (location_id, name) VALUES (:location_id, :name)
        ON CONFLICT (location_id) DO UPDATE SET name = excluded.name
    """,
    "terminal": """
        INSERT INTO core.terminal (provider, account, terminal, truck_id, from_date, to_date)
        VALUES (:provider, :account, :terminal, :truck_id, :from_date, :to_date)
    """,
    "banking": """
        INSERT INTO core.banking (truck_id, reference, float_pence, within_days, from_date, to_date)
        VALUES (:truck_id, :reference, :float_pence, :within_days, :from_date, :to_date)
    """,
}
# A truck that is no longer in details.xlsx keeps its row: its sales need its name.
_BEFORE = {
    "truck": "UPDATE core.truck SET in_details = false",
    "location": "SELECT 1",
    "terminal": "DELETE FROM core.terminal",
    "banking": "DELETE FROM core.banking",
}
_TABLES = {
    "metadata/details.xlsx": ("truck", "location"), "metadata/menu.csv": ("menu_item",),
    "metadata/pitches.csv": ("pitch",), "metadata/costs.csv": ("cost",),
    "metadata/terminals.csv": ("terminal",), "metadata/banking.csv": ("banking",),
}  # fmt: skip
_OLDER = sa.text("""
    UPDATE ops.source_file AS old
    SET state = 'superseded', superseded_by = newer.file_id, finished_at = clock_timestamp(),
        reason = 'A newer version of the same key was loaded before.'
    FROM ops.source_file AS newer
    WHERE old.file_id = ANY(:files) AND old.state = 'claimed'
      AND newer.key = old.key AND newer.state = 'loaded' AND newer.version > old.version
    RETURNING old.key
""")
_CLAIMED = sa.text("""
    SELECT file_id FROM ops.source_file
    WHERE file_id = ANY(:files) AND state = 'claimed'
    ORDER BY file_id
    FOR UPDATE
""")
_SUPERSEDE = sa.text("""
    UPDATE ops.source_file AS old
    SET state = 'superseded', superseded_by = :file_id, reason = 'A newer version of the same key was loaded.'
    WHERE key = :key AND state = 'loaded' AND file_id <> :file_id
""")
_OUTCOME = sa.text("""
    UPDATE ops.source_file
    SET state = :state, reason = :reason, content_sha256 = :content_sha256, rows_read = :rows, rows_loaded = :rows,
        finished_at = clock_timestamp()
    WHERE file_id = :file_id
""")


def load(files: pa.Table, dimensions: dict[str, list[Record]], measure: Measure, url: str | None = None) -> Loaded:
    """Commit a batch of metadata files; refused files change nothing.

    Trucks and places replace those before. Menus, costs and pitches take their place in the history: see `history`.
    The effects on loaded sales are in the same transaction: places, warnings and cost of goods change, and files whose
    rows the rules validate differently now, or may do so, are put into batches that reprocess them."""
    with connect(url) as db:
        db.exec_driver_sql(locks.DIMENSIONS_EXCLUSIVE)
        staged = {"files": files["file_id"].to_pylist()}
        older = {table for key in db.scalars(_OLDER, staged) for table in _TABLES[key]}
        claimed = set(db.scalars(_CLAIMED, staged))
        rows = [row for row in files.to_pylist() if row["file_id"] in claimed]
        for row in rows:
            if row["state"] == "loaded":
                db.execute(_SUPERSEDE, row)
            db.execute(_OUTCOME, row | {"rows": row["rows_read"] if row["state"] == "loaded" else 0})
        if claimed:
            versions = {table: row for row in rows for table in _TABLES[row["key"]]}
            _replace(db, {table: records for table, records in dimensions.items() if table not in older}, versions,
                     measure)  # fmt: skip
    count = sum(row["rows_read"] for row in rows)
    return Loaded(dict(Counter(row["state"] for row in rows)), count, count, 0, 0)


def _replace(
    db: sa.Connection, dimensions: dict[str, list[Record]], versions: dict[str, Record], measure: Measure
) -> None:
    """versions: the file (as staged) that each table comes from."""
    before = dimension_effects.snapshot(db)
    for table in dimensions.keys() & _UPSERT.keys():
        db.execute(sa.text(_BEFORE[table]))
        if dimensions[table]:
            db.execute(sa.text(_UPSERT[table]), dimensions[table])
    for table in dimensions.keys() & HISTORIES.keys():
        file = versions[table]
        version = Version(json.dumps(dimensions[table]), business_date(file["uploaded_at"]), file["file_id"])
        dated.change(db, table, version, Cause("metadata", file["key"]), measure)
    if dimensions:
        dimension_effects.apply(db, before)
        dated.tell(db)
