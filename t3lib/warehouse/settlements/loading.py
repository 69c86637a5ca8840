"""Loading files under settlements/: one transaction in which files, lines and the proof change together."""

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.files.file_outcomes import HELD
from t3lib.warehouse.load.loading import Loaded
from t3lib.warehouse.settlements import overlaps, proof
from t3lib.warehouse.settlements.lines import COUNT_AGAIN

Record = dict[str, Any]
TABLES = {
    "settlement": "provider, account, terminal, line_kind, line_id, occurred_at, business_date, gross_pence, "
                  "fee_pence, net_pence, payout_id, payout_on, identity",
    "bank_line": "account, line_kind, provider, line_id, booked_on, amount_pence, text, identity",
}  # fmt: skip
_PENCE = {"settlement": "net_pence", "bank_line": "amount_pence"}
# One load at a time, and none while the proof is computed; readers do not wait.
LOCK = "LOCK TABLE core.settlement, core.bank_line IN SHARE ROW EXCLUSIVE MODE"
_CLAIMED = sa.text("""
    SELECT file_id, key, version, released, may_repeat FROM ops.source_file
    WHERE file_id = ANY(:files) AND state = 'claimed'
    ORDER BY key, version NULLS FIRST, file_id
    FOR UPDATE
""")
_OTHERS = sa.text("""
    SELECT file_id, version, state, reason, may_repeat FROM ops.source_file
    WHERE key = :key AND file_id <> :file_id AND (state = 'loaded' OR state LIKE 'held%')
    ORDER BY version NULLS FIRST, file_id
    FOR UPDATE
""")
_TWIN = sa.text("""
    SELECT key FROM ops.source_file
    WHERE kind = 'settlement' AND state = 'loaded' AND content_sha256 = :content AND key <> :key
    ORDER BY file_id LIMIT 1
""")
_SUPERSEDE = sa.text("""
    UPDATE ops.source_file SET state = 'superseded', superseded_by = :by, reason = :reason WHERE file_id = :file_id
""")
_OUTCOME = sa.text("""
    UPDATE ops.source_file
    SET state = :state, reason = :reason, content_sha256 = :content, rows_read = :read, rows_loaded = :loaded,
        rows_rejected = :rejected, pence_loaded = :pence, superseded_by = :by, finished_at = clock_timestamp()
    WHERE file_id = :file_id
""")
_INSERT = """
    WITH line AS (
        SELECT * FROM jsonb_populate_recordset(NULL::core.{table}, CAST(:lines AS jsonb))
    ), older AS (
        UPDATE core.{table} SET counts = false WHERE counts AND identity IN (SELECT identity FROM line)
    )
    SELECT count(*) FROM line
"""
_ADD = """
    INSERT INTO core.{table} (file_id, row_number, counts, {columns})
    SELECT :file_id, row_number, true, {columns}
    FROM jsonb_populate_recordset(NULL::core.{table}, CAST(:lines AS jsonb))
"""


def load(files: pa.Table, statements: dict[str, Record], url: str | None = None) -> Loaded:
    """Commit a batch of provider files and bank statements. statements: by file id the table, its lines, and how many
    lines moved no money.

    A new version of a key replaces the lines of the one before; a file that cannot be read leaves them in force. The
    same content under another key is held, and so is one that writes lines of another file otherwise. Then sales,
    providers and bank are matched again."""
    staged = {row["file_id"]: row for row in files.to_pylist()}
    with connect(url) as db:
        db.exec_driver_sql(LOCK)
        outcomes = [_file(db, staged[row["file_id"]] | dict(row), statements)
                    for row in db.execute(_CLAIMED, {"files": list(staged)}).mappings().all()]  # fmt: skip
        for table in TABLES:
            db.exec_driver_sql(COUNT_AGAIN.format(table=table))
        if any(row["state"] == "loaded" for row in outcomes):
            proof.refresh(db)
    total = {name: sum(row[name] for row in outcomes) for name in ("read", "loaded", "rejected", "pence")}
    return Loaded(dict(Counter(row["state"] for row in outcomes)), total["read"], total["loaded"], total["rejected"],
                  total["pence"], what="lines of providers and banks")  # fmt: skip


def remove(db: sa.Connection, file_id: int) -> None:
    """Delete the lines of a file; the same lines of other files count instead."""
    for table in TABLES:
        db.execute(sa.text(f"DELETE FROM core.{table} WHERE file_id = :file_id"), {"file_id": file_id})
        db.exec_driver_sql(COUNT_AGAIN.format(table=table))


def _file(db: sa.Connection, file: Record, statements: dict[str, Record]) -> Record:
    """Load, hold or pass over one claimed file; returns its outcome."""
    found = statements.get(str(file["file_id"]), {"table": "", "lines": [], "no_money": 0})
    outcome = _decided(db, file, found)
    lines = found["lines"] if outcome["state"] == "loaded" else []
    rejected = found["no_money"] if outcome["state"] == "loaded" else 0
    outcome |= {"read": len(lines) + rejected, "loaded": len(lines), "rejected": rejected,
                "pence": sum(line[_PENCE[found["table"]]] for line in lines)}  # fmt: skip
    if outcome["state"] == "loaded" and rejected:
        outcome["reason"] = f"{rejected:,} lines moved no money by the layout, such as failed payments."
    db.execute(_OUTCOME, outcome)
    if lines:
        _insert(db, found["table"], file["file_id"], lines)
    return outcome


def _decided(db: sa.Connection, file: Record, found: Record) -> Record:
    """State and reason of a file of which these lines were read; other versions of its key give way."""
    outcome = {"file_id": file["file_id"], "state": file["state"], "reason": file["reason"], "by": None,
               "content": file["content_sha256"]}  # fmt: skip
    others = db.execute(_OTHERS, file).mappings().all()
    after = [other for other in others if (other["version"] or 0) > (file["version"] or 0)]
    if after and outcome["state"] in ("loaded", *HELD):
        reason = "A newer version of the same key was loaded before."
        return outcome | {"state": "superseded", "reason": reason, "by": after[-1]["file_id"]}
    if outcome["state"] == "loaded":
        by_person = next((other for other in others if other["state"] == "held"), None)
        # A person released it, or a version before.
        decided = file["may_repeat"] or any(one["may_repeat"] for one in others)
        twin = None if file["may_repeat"] else db.scalar(_TWIN, file | {"content": file["content_sha256"]})
        if by_person and not file["released"]:
            outcome |= {"state": "held", "reason": by_person["reason"]}
        elif twin:
            said = f"The same content as {twin}: release it only if both are right."
            outcome |= {"state": "held_duplicate", "reason": said}
        elif not decided and (same := overlaps.said(db, file["key"], found["table"], found["lines"])):
            outcome |= {"state": "held_overlap", "reason": same}
    if outcome["state"] in ("loaded", *HELD):
        _give_way(db, outcome, others)
    return outcome


def _give_way(db: sa.Connection, outcome: Record, others: Any) -> None:
    """Supersede the other versions of a key: all when this one is loaded, those that wait when it waits too."""
    for other in others:
        if outcome["state"] == "loaded" or other["state"] != "loaded":
            if other["state"] == "loaded":
                remove(db, other["file_id"])
            reason = "A newer version of the same key came."
            db.execute(_SUPERSEDE, {"file_id": other["file_id"], "by": outcome["file_id"], "reason": reason})


def _insert(db: sa.Connection, table: str, file_id: int, lines: list[Record]) -> None:
    numbered = json.dumps([line | {"row_number": number} for number, line in enumerate(lines, 1)])
    db.execute(sa.text(_INSERT.format(table=table)), {"lines": numbered})
    add = _ADD.format(table=table, columns=TABLES[table])
    db.execute(sa.text(add), {"file_id": file_id, "lines": numbered})
