"""Proofs that ledger, sales, rejects and rollups agree; each returns what does not."""

from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa

from t3lib.warehouse import rollups

# One row per loaded or replaced sales file: what the ledger says beside what the tables hold.
_FILES = """
    WITH sold AS (
        SELECT truck_id, file_id, count(*) AS sales, sum(total_pence) AS pence
        FROM core.sale
        {where}
        GROUP BY truck_id, file_id
    ),

    refused AS (
        SELECT file_id, count(*) AS rejects
        FROM ops.rejected_row
        WHERE status IN ('open', 'dismissed')
        GROUP BY file_id
    )

    SELECT file.file_id, file.key, file.state, file.rows_read, file.rows_loaded, file.rows_rejected,
           file.pence_loaded, coalesce(sold.sales, 0) AS sales, coalesce(sold.pence, 0)::bigint AS pence,
           coalesce(refused.rejects, 0) AS rejects
    FROM ops.source_file AS file
    LEFT JOIN sold ON sold.file_id = file.file_id AND sold.truck_id = file.truck_id
    LEFT JOIN refused ON refused.file_id = file.file_id
"""
_SALES_WITHOUT_FILE = """
    SELECT count(*) FROM core.sale
    WHERE NOT EXISTS (SELECT FROM ops.source_file AS file
                      WHERE file.file_id = sale.file_id AND file.truck_id = sale.truck_id AND file.state = 'loaded')
"""
# A row is a sale, or stands open or dismissed; one that was repaired or replayed is a sale.
_TORN_REJECTS = """
    SELECT count(*) FROM ops.rejected_row AS row
    JOIN ops.source_file AS file USING (file_id)
    WHERE file.state = 'loaded' AND row.status <> 'superseded'
      AND (row.status IN ('repaired', 'replayed')) <>
          EXISTS (SELECT FROM core.sale WHERE sale.truck_id = file.truck_id AND sale.file_id = row.file_id
                                          AND sale.row_number = row.row_number)
"""


@dataclass(frozen=True)
class Check:
    """One proof: its name, whether it holds, and a sentence with figures."""

    name: str
    ok: bool
    detail: str


def of_files(db: sa.Connection, file_ids: list[int]) -> pd.DataFrame:
    """One row per file of a list: the ledger's figures, the tables' figures, and whether they reconcile."""
    query = _FILES.format(where="WHERE file_id = ANY(:files)") + " WHERE file.file_id = ANY(:files) ORDER BY file.key"
    return _judged(pd.read_sql(sa.text(query), db, params={"files": file_ids}))


def checks(db: sa.Connection) -> list[Check]:
    """Everything that must hold of the whole warehouse."""
    rollups_hold = [_rollup(db, "hourly"), _rollup(db, "price")]
    return [_files(db), _orphans(db), _rejects(db), *rollups_hold, _rules(db), _unfinished(db)]


def _judged(files: pd.DataFrame) -> pd.DataFrame:
    is_sales = ~files["key"].str.startswith("metadata/")
    loaded = files["state"] == "loaded"
    same = (
        (files["sales"] == files["rows_loaded"])
        & (files["pence"] == files["pence_loaded"])
        & (files["rejects"] == files["rows_rejected"])
    )
    files["reconciles"] = ~is_sales | (same & loaded) | (~loaded & (files["sales"] == 0))
    return files.drop(columns=["sales", "pence", "rejects"])


def _files(db: sa.Connection) -> Check:
    files = _judged(pd.read_sql(sa.text(_FILES.format(where="")), db))
    loaded = files[(files["state"] == "loaded") & ~files["key"].str.startswith("metadata/")]
    wrong = files[~files["reconciles"]]
    read, kept, refused = (int(loaded[name].sum()) for name in ("rows_read", "rows_loaded", "rows_rejected"))
    detail = f"{len(loaded):,} files: {read:,} rows read = {kept:,} loaded + {refused:,} rejected"
    if len(wrong):
        detail += "; not so for " + ", ".join(wrong["key"].head(5))
    return Check("files", not len(wrong) and read == kept + refused, detail)


def _orphans(db: sa.Connection) -> Check:
    count = db.scalar(sa.text(_SALES_WITHOUT_FILE)) or 0
    return Check("sales", not count, f"{count:,} sales stand without a loaded file")


def _rejects(db: sa.Connection) -> Check:
    count = db.scalar(sa.text(_TORN_REJECTS)) or 0
    return Check("rejects", not count, f"{count:,} rows are both a sale and a reject, or neither")


def _rollup(db: sa.Connection, name: str) -> Check:
    wrong = rollups.differences(db, name)
    table = {"hourly": "mart.sales_hourly", "price": "mart.price_daily"}[name]
    detail = f"{table} equals core.sale" if not wrong else f"{table} differs, first at {tuple(wrong[0])}"
    return Check(f"rollup_{name}", not wrong, detail)


def _rules(db: sa.Connection) -> Check:
    from t3lib.warehouse.rules import differing

    wrong = differing(db)
    detail = "the sales were made under the settings in force"
    if wrong:
        detail = "; ".join(f"{name} is {now}, sales were made under {then}" for name, then, now in wrong)
    return Check("settings", not wrong, detail)


def _unfinished(db: sa.Connection) -> Check:
    failed = db.execute(sa.text("SELECT batch_id, error FROM ops.batch WHERE state = 'failed'")).all()
    detail = "no batch failed"
    if failed:
        detail = f"{len(failed)} batches failed, try `t3 ingest`: " + "; ".join(f"{r[0]}: {r[1]}" for r in failed[:3])
    return Check("batches", not failed, detail)
