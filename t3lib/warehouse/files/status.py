"""The state of files, rows, batches, runs and mails, as one structure for programs and people."""

from typing import Any

import sqlalchemy as sa

_FILES = "SELECT state, count(*) FROM ops.source_file GROUP BY state ORDER BY state"
_ROWS = """
    SELECT coalesce(sum(rows_read), 0)::bigint AS rows_read, coalesce(sum(rows_loaded), 0)::bigint AS rows_loaded,
           coalesce(sum(rows_rejected), 0)::bigint AS rows_rejected,
           coalesce(sum(pence_loaded), 0)::bigint AS pence_loaded,
           count(deleted_at) AS deleted_upstream, min(first_sale_at) AS first_sale_at, max(last_sale_at) AS last_sale_at
    FROM ops.source_file
    WHERE state = 'loaded' AND kind IN ('sales', 'history')
"""
_REJECTED = """
    SELECT reason, count(*) FROM ops.rejected_row
    WHERE status IN ('open', 'dismissed')
    GROUP BY reason ORDER BY reason
"""
_RUNS = "SELECT state, count(*) FROM ops.run GROUP BY state ORDER BY state"
_MAILS = "SELECT state, count(*) FROM ops.mail_outbox GROUP BY state ORDER BY state"
_BATCHES = "SELECT state, count(*) FROM ops.batch GROUP BY state ORDER BY state"
_CHOSEN = """
    FROM ops.source_file
    WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
"""
_LISTED = f"""
    SELECT key, state, reason, truck_id, rows_read, rows_loaded, rows_rejected, pence_loaded, finished_at, deleted_at,
           warnings, columns_not_read
    {_CHOSEN}
    ORDER BY discovered_at DESC, file_id DESC
    LIMIT :limit
"""


def summary(db: sa.Connection) -> dict[str, Any]:
    """Files, rows and pence of the loaded versions; rejects, runs and mails by state. Stamps are ISO, UTC."""
    rows = db.execute(sa.text(_ROWS)).mappings().one()
    stamps = {name: rows[name].isoformat() if rows[name] else None for name in ("first_sale_at", "last_sale_at")}
    return {
        "files": _counts(db, _FILES),
        "deleted_upstream": rows["deleted_upstream"],
        "rows_read": rows["rows_read"],
        "rows_loaded": rows["rows_loaded"],
        "rows_rejected": rows["rows_rejected"],
        "rejected": _counts(db, _REJECTED),
        "pence_loaded": rows["pence_loaded"],
        **stamps,
        "batches": _counts(db, _BATCHES),
        "runs": _counts(db, _RUNS),
        "mails": _counts(db, _MAILS),
    }


def files(
    db: sa.Connection, state: str | None = None, truck: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The newest object versions of the ledger, one mapping each."""
    found = db.execute(sa.text(_LISTED), {"state": state, "truck": truck, "limit": limit}).mappings()
    return [dict(row) for row in found]


def count_files(db: sa.Connection, state: str | None = None, truck: int | None = None) -> int:
    """How many object versions these are."""
    return int(db.scalar(sa.text(f"SELECT count(*) {_CHOSEN}"), {"state": state, "truck": truck}) or 0)


def _counts(db: sa.Connection, query: str) -> dict[str, int]:
    return dict(db.execute(sa.text(query)).all())
