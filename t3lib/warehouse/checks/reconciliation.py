"""Checks that ledger, sales, rejects and rollups agree; each returns what differs, and what to do."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from t3lib.money import pounds
from t3lib.warehouse.checks import duplicate_pairs, pinned_settings
from t3lib.warehouse.checks.rollup_differences import ROLLUPS, days
from t3lib.warehouse.settlements import sums

if TYPE_CHECKING:
    import pandas as pd

# One row per loaded or replaced sales file: what the ledger says and what the tables hold.
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

    SELECT file.file_id, file.truck_id, file.key, file.kind, file.state, file.rows_read, file.rows_loaded,
           file.rows_rejected, file.pence_loaded, coalesce(sold.sales, 0) AS sales,
           coalesce(sold.pence, 0)::bigint AS pence,
           coalesce(refused.rejects, 0) AS rejects
    FROM ops.source_file AS file
    LEFT JOIN sold ON sold.file_id = file.file_id AND sold.truck_id = file.truck_id
    LEFT JOIN refused ON refused.file_id = file.file_id
"""
# One row per file that has sales although it is not loaded.
_SALES_WITHOUT_FILE = """
    SELECT truck_id, file_id, count(*) AS rows FROM core.sale
    WHERE NOT EXISTS (SELECT FROM ops.source_file AS file
                      WHERE file.file_id = sale.file_id AND file.truck_id = sale.truck_id AND file.state = 'loaded')
      AND (CAST(:trucks AS integer[]) IS NULL OR truck_id = ANY(:trucks))
    GROUP BY truck_id, file_id
    ORDER BY truck_id, file_id
"""
# A row is a sale, or an open or dismissed reject; one that was repaired or replayed is a sale. One row per file that
# has other rows.
_TORN_REJECTS = """
    SELECT file.truck_id, file.key, count(*) AS rows FROM ops.rejected_row AS row
    JOIN ops.source_file AS file USING (file_id)
    WHERE file.state = 'loaded' AND row.status <> 'superseded'
      AND (row.status IN ('repaired', 'replayed')) <>
          EXISTS (SELECT FROM core.sale WHERE sale.truck_id = file.truck_id AND sale.file_id = row.file_id
                                          AND sale.row_number = row.row_number)
      AND (CAST(:trucks AS integer[]) IS NULL OR file.truck_id = ANY(:trucks))
    GROUP BY file.truck_id, file.key
    ORDER BY file.truck_id, file.key
"""
_REREAD = (
    "the bucket has the truth: `t3 ingest --reprocess DATE` for its days; should it come out unchanged, the ledger's "
    "own count is wrong: `t3 files hold KEY`, `t3 files release KEY`, `t3 ingest`. Then `t3 doctor --repair`"
)
_STRANGE = (
    "no load leaves such rows, so something else wrote to core.sale: let its owner delete those of these files, or "
    "restore a backup. Then `t3 doctor --repair`"
)
_TORN = "load their files again: `t3 files hold KEY`, `t3 files release KEY`, `t3 ingest`. Then `t3 doctor --repair`"
_TWICE = (
    "these sales count twice: take one file out with `t3 files hold KEY`; should both be right, release it again with "
    "`t3 files release KEY`, then `t3 ingest`"
)
_NAMED = 3
_SAID = {"goods_pence": " cost of goods", "without_goods_pence": " without one"}


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, a sentence with figures, and advice where it failed."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def checks(db: sa.Connection) -> list[Check]:
    """Every check of the whole warehouse."""
    rollups = [_rollup(db, name) for name in ROLLUPS]
    return [_files(db), _orphans(db), _rejects(db), _pairs(db), *rollups, *_money(db), _rules(db), _unfinished(db)]


def unsound(db: sa.Connection, trucks: list[int]) -> list[int]:
    """Those of some trucks whose ledger, sales and rejects disagree."""
    query = _FILES.format(where="WHERE truck_id = ANY(:trucks)") + " WHERE file.truck_id = ANY(:trucks)"
    files = _reconciled(db, query, trucks=trucks)
    found = set(files[~files["reconciles"]]["truck_id"])
    for query in (_SALES_WITHOUT_FILE, _TORN_REJECTS):
        found |= set(db.scalars(sa.text(query), {"trucks": trucks}))
    return sorted(int(truck) for truck in found)


def _reconciled(db: sa.Connection, query: str, **parameters: Any) -> "pd.DataFrame":
    """The files that a query finds, and whether each reconciles."""
    import pandas as pd  # half a second that a worker need not wait for

    files = pd.read_sql(sa.text(query), db, params=parameters)
    is_sales = files["kind"].isin(("sales", "history"))
    loaded = files["state"] == "loaded"
    same = (
        (files["sales"] == files["rows_loaded"])
        & (files["pence"] == files["pence_loaded"])
        & (files["rejects"] == files["rows_rejected"])
    )
    files["reconciles"] = ~is_sales | (same & loaded) | (~loaded & (files["sales"] == 0))
    return files


def _files(db: sa.Connection) -> Check:
    files = _reconciled(db, _FILES.format(where=""))
    loaded = files[(files["state"] == "loaded") & files["kind"].isin(("sales", "history"))]
    wrong = files[~files["reconciles"]]
    read, kept, refused, pence = (
        int(loaded[name].sum()) for name in ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded")
    )
    detail = f"{len(loaded):,} files: {read:,} rows read = {kept:,} sales, {pounds(pence)}, + {refused:,} rejected"
    if len(wrong):
        detail += f"; not for {len(wrong):,}: " + "; ".join(map(_wrong, wrong.head(_NAMED).to_dict("records")))
    ok = not len(wrong) and read == kept + refused
    return Check("files", ok, detail, "" if ok else _REREAD)


def _wrong(file: dict[str, Any]) -> str:
    """A file that does not reconcile: what the ledger says and what the tables hold."""
    return (
        f"{file['key']} is {file['state']} with {file['rows_loaded']:,} sales, {pounds(file['pence_loaded'])}, "
        f"{file['rows_rejected']:,} rejected; found {file['sales']:,}, {pounds(file['pence'])}, {file['rejects']:,}"
    )


def _orphans(db: sa.Connection) -> Check:
    files = db.execute(sa.text(_SALES_WITHOUT_FILE), {"trucks": None}).all()
    detail = f"{sum(file.rows for file in files):,} sales have no loaded file"
    if files:
        detail += ": " + ", ".join(f"file {file.file_id} of truck {file.truck_id}" for file in files[:_NAMED])
    return Check("sales", not files, detail, _STRANGE if files else "")


def _rejects(db: sa.Connection) -> Check:
    files = db.execute(sa.text(_TORN_REJECTS), {"trucks": None}).all()
    detail = f"{sum(file.rows for file in files):,} rows are both a sale and a reject, or neither"
    if files:
        detail += ": " + ", ".join(file.key for file in files[:_NAMED])
    return Check("rejects", not files, detail, _TORN if files else "")


def _pairs(db: sa.Connection) -> Check:
    found = duplicate_pairs.alike(db)
    twice = [pair for pair in found if not pair.released]
    pairs_of = (
        "1 pair of loaded files of a truck shares"
        if len(twice) == 1
        else f"{len(twice):,} pairs of loaded files of a truck share"
    )
    detail = f"{pairs_of} most sales"
    if twice:
        detail += ": " + "; ".join(map(str, twice[:_NAMED]))
    if released := len(found) - len(twice):
        detail += f"; {released:,} more, of which a person released one, stay as decided"
    return Check("pairs", not twice, detail, _TWICE if twice else "")


def _rollup(db: sa.Connection, name: str) -> Check:
    rollup, apart = ROLLUPS[name], days(db, name)
    if apart:
        detail = f"{rollup.table} differs from {rollup.source} on {len(apart):,} days: "
        detail += ", ".join(map(str, apart[:_NAMED]))
        return Check(f"rollup_{name}", False, detail, "`t3 doctor --repair` rebuilds these rows")
    sums = ", ".join(f"coalesce(sum({value}), 0)::bigint" for value in rollup.values)
    rows, count, *pence = db.execute(sa.text(f"SELECT count(*), {sums} FROM {rollup.table}")).one()
    sums_shown = f"{count:,} {'rejects' if name == 'rejected' else 'sales'}"
    said = zip(pence, rollup.values[1:], strict=True)
    sums_shown += "".join(f", {pounds(amount)}{_SAID.get(value, '')}" for amount, value in said)
    return Check(f"rollup_{name}", True, f"{rollup.table}: {rows:,} rows with {sums_shown}, equal to {rollup.source}")


def _money(db: sa.Connection) -> list[Check]:
    ok, said = sums.files(db)
    proven, proof = sums.proof(db)
    advice = "" if ok else "upload these files again: a new version replaces their lines; then `t3 ingest`"
    return [Check("settlements", ok, said, advice),
            Check("proof_of_cash", proven, proof, "" if proven else "`t3 settlements match`")]  # fmt: skip


def _rules(db: sa.Connection) -> Check:
    wrong = pinned_settings.differing(db)
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
