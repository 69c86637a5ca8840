"""Repairs: people decide what becomes of rejected rows. Every decision is kept and can be taken back."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from t3lib.money import parse_pence, pounds
from t3lib.problems import RefusedError
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.db.partitions import ensure_months
from t3lib.warehouse.decisions import decisions, rejects
from t3lib.warehouse.decisions.decisions import Decision
from t3lib.warehouse.files import rulesets
from t3lib.warehouse.files.audit import named, reasoned
from t3lib.warehouse.sales.change import SALE_SCHEMA, changing, sales_of
from t3lib.warehouse.sales.restatements import Label

_FORCE = " If it is right all the same, say so (--force)."
_MISSING = {
    "bad_timestamp": ' Give it (--at "2026-11-05 12:30").',
    "unknown_payment_type": " Give it (--payment card).",
}

_LAST = """
    SELECT repair_id, action, status_before, status_after, forced FROM ops.repair
    WHERE file_id = $1 AND row_number = $2
    ORDER BY repair_id DESC
    LIMIT 1
"""


def repair(
    file_id: int,
    row_number: int,
    *,
    actor: str,
    why: str,
    pence: int | None = None,
    accept: bool = False,
    sold_at: datetime | None = None,
    payment_type: str | None = None,
    force: bool = False,
    url: str | None = None,
) -> dict[str, Any]:
    """Make a rejected row a sale; returns that sale (columns of core.sale).

    pence: the total, or accept the suggested one; sold_at (aware) and payment_type where the row's own are wrong.
    What was not given is read from the row. Raises RefusedError: the row is not open, something is still
    missing, or the value is beyond the truck's limits and not forced."""
    actor, why = named(actor), reasoned(why)
    with connect(url) as db:
        row = rejects.show(db, file_id, row_number)
    rejects.must_be_open(row)
    total = _total(row, pence, accept)
    typed = {
        "timestamp": sold_at.astimezone(UTC).isoformat(" ") if sold_at else row["raw_timestamp"],
        "type": payment_type or row["raw_type"],
        "total": f"{total // 100}.{total % 100:02d}",
    }
    with connect(url) as db:
        sale = _believed(db, row, typed, force)
    inserted = pa.Table.from_pylist([sale], schema=SALE_SCHEMA)
    ensure_months(inserted, url)
    decision = decisions.on(row, "repair", actor, why, "repaired", sale, forced=force)
    _commit([decision], inserted, SALE_SCHEMA.empty_table(), {file_id: Label("repair", row["key"])}, url)
    return sale


def dismiss(file_id: int, row_number: int, *, actor: str, why: str, url: str | None = None) -> None:
    """Say that a rejected row is no sale: it stays rejected and is no longer listed as open. Raises RefusedError."""
    actor, why = named(actor), reasoned(why)
    with connect(url) as db:
        row = rejects.show(db, file_id, row_number)
    rejects.must_be_open(row)
    none = SALE_SCHEMA.empty_table()
    _commit([decisions.on(row, "dismiss", actor, why, "dismissed", None)], none, none, {}, url)


def undo(file_id: int, row_number: int, *, actor: str, why: str, url: str | None = None) -> str:
    """Take the latest decision on a row back; returns what it was. Raises RefusedError when there is none."""
    actor, why = named(actor), reasoned(why)
    with connect(url) as db:
        row = rejects.show(db, file_id, row_number)
    if row["state"] != "loaded":
        raise RefusedError(f"{row['key']} is {row['state'].replace('_', ' ')}: its rows decide nothing any more.")
    with changing(url) as cursor:
        decisions.lock(cursor, [file_id])
        cursor.execute(_LAST, [file_id, row_number])
        last = next(iter(cursor.table().to_pylist()), None)
        if last is None or last["action"] == "undo":
            raise RefusedError("There is no decision on this row: there is nothing to take back.")
        if last["action"] == "accept":
            raise RefusedError("The rules accept this row themselves now: there is nothing to take back.")
        deleted = decisions.only(sales_of(cursor, [file_id]), [row])
        sale = next(iter(deleted.to_pylist()), None)
        back = decisions.on(row, "undo", actor, why, last["status_before"], sale, undoes=last["repair_id"])
        decisions.apply(cursor, [back], SALE_SCHEMA.empty_table(), deleted, {file_id: Label("undo", row["key"])})
    action: str = last["action"]
    return action


def _total(row: dict[str, Any], pence: int | None, accept: bool) -> int:
    """The total that a person gave or accepted, or else the row's own where it is valid."""
    if accept and pence is None:
        if row["suggested_pence"] is None:
            raise RefusedError("No total is suggested for this row: give one (--total 4.99).")
        suggested: int = row["suggested_pence"]
        return suggested
    own, _, _ = parse_pence(row["raw_total"])
    if pence is None and (own is None or row["reason"] in ("decimal_shift", "above_limit")):
        also = f", or accept {pounds(row['suggested_pence'])} (--accept)" if row["suggested_pence"] else ""
        raise RefusedError(f"{row['sentence']} Give the total (--total 4.99){also}.")
    total = own if pence is None else pence
    if total is None or not 0 < total < 2**31:
        raise RefusedError("A total must be more than £0 and less than £21 million.")
    return total


def _believed(db: sa.Connection, row: dict[str, Any], typed: dict[str, str], force: bool) -> dict[str, Any]:
    """The sale that typed values make under the rules in force; forced, whatever can be booked. Raises RefusedError."""
    bookable = rejects.validate(db, [row], typed, believing=True)
    found = bookable if force else rejects.validate(db, [row], typed)
    if found.sales.num_rows:
        sale: dict[str, Any] = found.sales.to_pylist()[0]
        return sale
    reason = found.rejects["reason"][0].as_py()
    advice = _FORCE if bookable.sales.num_rows else _MISSING.get(reason, "")
    raise RefusedError(rulesets.sentences(db)[reason] + advice)


def _commit(
    taken: list[Decision], inserted: pa.Table, deleted: pa.Table, labels: dict[int, Label], url: str | None
) -> None:
    """Apply decisions, if their rows have not changed since. Raises RefusedError when somebody was faster."""
    with changing(url) as cursor:
        decisions.lock(cursor, sorted({decision.file_id for decision in taken}))
        rows = [{"file_id": d.file_id, "row_number": d.row_number, "status": d.status_before} for d in taken]
        if len(decisions.unchanged(cursor, rows)) < len(rows):
            raise RefusedError("Somebody decided about this row meanwhile: look at it again (`t3 rejects show`).")
        decisions.apply(cursor, taken, inserted, deleted, labels)
