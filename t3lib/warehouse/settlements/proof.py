"""The proof of cash in the database: read the books, match them, store what came out."""

import json
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib.business_day import today
from t3lib.settlements import matching
from t3lib.settlements.layouts import layouts
from t3lib.settlements.matching import Books, Decision, Proof

_ANY = sa.text("SELECT EXISTS (SELECT FROM core.settlement) OR EXISTS (SELECT FROM core.bank_line)")
_STALE = sa.text("""
    SELECT matching.version IS DISTINCT FROM watermark.version OR matching.business_date IS DISTINCT FROM :today
    FROM mart.matching, mart.watermark
""")
# A card sale of a truck without a card reader was paid in cash, whatever its till says.
SALES = """
    SELECT CASE WHEN payment_type = 'card' AND coalesce(has_card_reader, true) THEN 'card' ELSE 'cash' END AS tender,
           truck_id, business_date, sum(total_pence)::bigint AS pence
    FROM mart.sales_hourly
    LEFT JOIN core.truck USING (truck_id)
    WHERE business_date <= :today
    GROUP BY 1, 2, 3
"""
_LINES = """
    SELECT provider, account, terminal, line_kind, occurred_at, business_date, gross_pence, fee_pence, payout_id,
           payout_on, identity
    FROM core.settlement WHERE counts ORDER BY occurred_at, identity
"""
_BANK = "SELECT account, line_kind, provider, booked_on, amount_pence, text, identity FROM core.bank_line WHERE counts"
_TERMINALS = "SELECT provider, account, terminal, truck_id, from_date, to_date FROM core.terminal"
_BANKING = "SELECT truck_id, reference, float_pence, within_days, from_date, to_date FROM core.banking"
_DECISIONS = sa.text("""
    SELECT DISTINCT ON (item) item, action, pence FROM ops.settlement_decision ORDER BY item, decision_id DESC
""")
_STORE = """
    INSERT INTO mart.{table} SELECT * FROM jsonb_populate_recordset(NULL::mart.{table}, CAST(:rows AS jsonb))
"""
_VERSION = sa.text("SELECT version FROM mart.watermark")
_MATCHED = sa.text("""
    UPDATE mart.matching SET matched_at = clock_timestamp(), version = :version, business_date = :today
""")


def is_stale(db: sa.Connection, on: date | None = None) -> bool:
    """Whether there is something to match, and figures or the day changed since it was matched."""
    return bool(db.scalar(_ANY)) and bool(db.scalar(_STALE, {"today": on or today()}))


def refresh(db: sa.Connection, on: date | None = None) -> Proof:
    """Match sales, providers and bank, and store the proof in place of the one before. on: what counts as today.

    The version that pages poll rises with it."""
    on = on or today()
    db.exec_driver_sql("LOCK TABLE mart.matching IN SHARE ROW EXCLUSIVE MODE")
    before = db.scalar(_VERSION) or 0
    found = matching.match(books(db, on))
    _store(db, "settled_daily", [row._asdict() for row in found.rows])
    _store(db, "payout", [vars(payout) for payout in found.payouts])
    version = db.scalar(sa.text("UPDATE mart.watermark SET version = version + 1 RETURNING version"))
    # What was loaded meanwhile has not been matched: the version of before makes the proof stale.
    db.execute(_MATCHED, {"today": on, "version": version if version == before + 1 else before})
    return found


def books(db: sa.Connection, on: date) -> Books:
    """Everything that is matched, as it stands now."""
    sales, lines, bank, terminals, banking = (
        _read(db, query, on) for query in (SALES, _LINES, _BANK, _TERMINALS, _BANKING)
    )
    decisions = {row.item: Decision(row.action, row.pence) for row in db.execute(_DECISIONS) if row.action != "undo"}
    return Books(sales, lines, bank, terminals, banking, layouts(), on, decisions)


def _read(db: sa.Connection, query: str, on: date) -> pd.DataFrame:
    result = db.execute(sa.text(query), {"today": on})
    return pd.DataFrame(result.all(), columns=list(result.keys()), dtype=object)


def _store(db: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    db.exec_driver_sql(f"DELETE FROM mart.{table}")
    if rows:
        db.execute(sa.text(_STORE.format(table=table)), {"rows": json.dumps(rows, default=str)})
