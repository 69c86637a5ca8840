"""Replays: open rejects validated again by the present rules, after a rule was changed."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from t3lib.cleaning import Rulebook
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.db.partitions import ensure_months
from t3lib.warehouse.decisions import decisions, rejects
from t3lib.warehouse.files.audit import named, reasoned
from t3lib.warehouse.sales.change import SALE_SCHEMA, changing
from t3lib.warehouse.sales.restatements import Label

_REASONS = """
    UPDATE ops.rejected_row AS row SET reason = validated.reason, suggested_pence = validated.suggested_pence,
        ruleset = $1
    FROM validated
    WHERE row.file_id = validated.file_id AND row.row_number = validated.row_number AND row.status = 'open'
      AND (row.reason, row.suggested_pence) IS DISTINCT FROM (validated.reason, validated.suggested_pence)
"""


@dataclass(frozen=True)
class Replayed:
    """What a replay did: how many open rejects it validated, how many of them are sales now, and their pence."""

    validated: int
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
    """Validate open rejects by the present rules, in one transaction: accepted ones become sales, the others get the
    present reason. Decisions of people stay."""
    actor, why = named(actor), reasoned(why)
    rules = Rulebook.in_force()
    with connect(url) as db:
        rows = rejects.listed(db, reason=reason, truck=truck, first=first, last=last, limit=None)
        found = rejects.validate(db, rows, rules=rules)
    ensure_months(found.sales, url)
    with changing(url) as cursor:
        decisions.lock(cursor, sorted({row["file_id"] for row in rows}))
        open_rows = decisions.unchanged(cursor, rows)
        inserted = decisions.only(found.sales.select(SALE_SCHEMA.names).cast(SALE_SCHEMA), open_rows)
        _update_reasons(cursor, found.rejects, rules.hash)
        by_line = {(row["file_id"], row["row_number"]): row for row in open_rows}
        made = [(by_line[sale["file_id"], sale["row_number"]], sale) for sale in inserted.to_pylist()]
        taken = [decisions.on(row, "replay", actor, why, "replayed", sale) for row, sale in made]
        labels = {row["file_id"]: Label("replay", row["key"]) for row, _ in made}
        decisions.apply(cursor, taken, inserted, SALE_SCHEMA.empty_table(), labels)
    return Replayed(len(open_rows), inserted.num_rows, sum(sale["total_pence"] for _, sale in made))


def _update_reasons(cursor: Cursor, refused: pa.Table, ruleset: str) -> None:
    """Give rows that stay rejected the present reason, in its present words, and suggestion."""
    if refused.num_rows:
        validated = refused.select(["file_id", "row_number", "reason", "suggested_pence"])
        cursor.temporary_table("validated", validated)
        cursor.execute(_REASONS, [ruleset])
        cursor.execute("DROP TABLE validated")
