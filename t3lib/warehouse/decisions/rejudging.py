"""Validate open rejects again by the present rules, after a rule was changed."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.decisions import decisions, rejects
from t3lib.warehouse.files.audit import named, reasoned
from t3lib.warehouse.sales.change import SALE_SCHEMA, changing, ensure_months
from t3lib.warehouse.sales.restatements import Label

_REASONS = """
    UPDATE ops.rejected_row AS row SET reason = judged.reason, suggested_pence = judged.suggested_pence
    FROM judged
    WHERE row.file_id = judged.file_id AND row.row_number = judged.row_number AND row.status = 'open'
      AND (row.reason, row.suggested_pence) IS DISTINCT FROM (judged.reason, judged.suggested_pence)
"""


@dataclass(frozen=True)
class Replayed:
    """What a replay did: open rejects validated, accepted as sales, and the pence of those."""

    judged: int
    accepted: int
    pence: int


def replay(
    *,
    actor: str,
    why: str,
    reason: str | None = None,
    truck: int | None = None,
    first: date | None = None,
    last: date | None = None,
    url: str | None = None,
) -> Replayed:
    """Validate open rejects by the present rules, in one transaction: those accepted become sales, the rest keep their
    place with the reason of today. What people decided is left alone."""
    actor, why = named(actor), reasoned(why)
    with connect(url) as db:
        rows = rejects.listed(db, reason=reason, truck=truck, first=first, last=last, limit=None)
        found = rejects.validate(db, rows)
    ensure_months(found.sales, url)
    with changing(url) as cursor:
        decisions.lock(cursor, sorted({row["file_id"] for row in rows}))
        open_rows = decisions.as_read(cursor, rows)
        inserted = decisions.only(found.sales.select(SALE_SCHEMA.names).cast(SALE_SCHEMA), open_rows)
        _rename(cursor, found.rejects)
        by_line = {(row["file_id"], row["row_number"]): row for row in open_rows}
        made = [(by_line[sale["file_id"], sale["row_number"]], sale) for sale in inserted.to_pylist()]
        taken = [decisions.on(row, "replay", actor, why, "replayed", sale) for row, sale in made]
        labels = {row["file_id"]: Label("replay", row["key"]) for row, _ in made}
        decisions.take(cursor, taken, inserted, SALE_SCHEMA.empty_table(), labels)
    return Replayed(len(open_rows), inserted.num_rows, sum(sale["total_pence"] for _, sale in made))


def _rename(cursor: Cursor, refused: pa.Table) -> None:
    """Give rows that stay rejected the reason and the suggestion of today."""
    if refused.num_rows:
        judged = refused.select(["file_id", "row_number", "reason", "suggested_pence"])
        cursor.keep("judged", judged)
        cursor.execute(_REASONS)
        cursor.execute("DROP TABLE judged")
