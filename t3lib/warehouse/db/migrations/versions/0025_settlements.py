"""Files of card providers and bank statements, and what matching them with the sales found."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"

_BACK = """
    DROP TABLE ops.settlement_decision, ops.settlement_alert, mart.matching, mart.payout, mart.settled_daily,
        core.bank_line, core.settlement, core.banking, core.terminal;
    CREATE OR REPLACE FUNCTION ops.assert_file_reconciles() RETURNS trigger LANGUAGE plpgsql SECURITY INVOKER
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        file ops.source_file;
        sales bigint; pence bigint; rejects bigint;
    BEGIN
        SELECT * INTO file FROM ops.source_file WHERE file_id = NEW.file_id;
        IF file.kind NOT IN ('sales', 'history') THEN RETURN NULL; END IF;
        SELECT count(*), coalesce(sum(total_pence), 0) INTO sales, pence
        FROM core.sale WHERE truck_id = file.truck_id AND file_id = file.file_id;
        SELECT count(*) INTO rejects
        FROM ops.rejected_row WHERE file_id = file.file_id AND status IN ('open', 'dismissed');
        IF file.state = 'loaded' AND (sales, pence, rejects) IS DISTINCT FROM
                                     (file.rows_loaded, file.pence_loaded, file.rows_rejected) THEN
            RAISE EXCEPTION 'File % (%) does not reconcile: ledger says % sales, % pence, % rejects; found %, %, %',
                file.file_id, file.key, file.rows_loaded, file.pence_loaded, file.rows_rejected, sales, pence, rejects
                USING ERRCODE = 'integrity_constraint_violation';
        ELSIF file.state <> 'loaded' AND sales > 0 THEN
            RAISE EXCEPTION 'File % (%) is % but has % sales', file.file_id, file.key, file.state, sales
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$;
    UPDATE ops.source_file
    SET kind = 'other', state = 'ignored', rows_read = 0, rows_loaded = 0, pence_loaded = 0, batch_id = NULL,
        reason = 'Not a file of the feed: its key follows none of the known layouts.'
    WHERE kind = 'settlement';
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE ops.source_file
        DROP CONSTRAINT source_file_kind_check,
        ADD CONSTRAINT source_file_kind_check CHECK (kind IN ('sales', 'history', 'metadata', 'other')),
        DROP CONSTRAINT source_file_state_check,
        ADD CONSTRAINT source_file_state_check CHECK (state IN
            ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held_overlap', 'held_columns', 'held',
             'unreadable', 'bad_header', 'ignored'));
"""
_STATE = "settled, on_its_way, short, over or not_explained"
_CAUSE = "why it is in this state: a code of docs/settlements.md"
_ITEM = "name of what it belongs to, by which people decide about it; the same after new files"
_LINE = {
    "file_id": "number of the file's version in ops.source_file",
    "row_number": "line of the file below its header, or transaction of an OFX file, from 1",
    "line_id": "the id that the file gives the line; empty: none",
    "identity": "what makes it the same line in another file",
    "counts": "whether it counts: of the same line in several files the one of the newest does",
}
_FROM = {
    "from_date": "first business day on which it holds",
    "to_date": "first business day on which it no longer holds; 3000-01-01: none",
}
_PAYOUT = {"provider": "table of notebooks/settlements.toml", "account": "account with the provider"}
_COMMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "core.terminal": (
        "One row per span of days in which a provider's account or terminal belonged to a truck "
        "(metadata/terminals.csv).",
        _PAYOUT
        | {"terminal": "terminal or place as the provider names it; empty: the whole account",
           "truck_id": "the truck's number; null: all trucks without a row of their own"}
        | _FROM,
    ),
    "core.banking": (
        "One row per span of days in which a truck's cash was banked in one way (metadata/banking.csv).",
        {"truck_id": "the truck's number", "reference": "text by which bank lines of its cash are known",
         "float_pence": "change that stays in the till, pence", "within_days": "days until takings must be banked"}
        | _FROM,
    ),
    "core.settlement": (
        "One row per line of a provider's file: a sale, fee, refund, chargeback, adjustment or payout.",
        _LINE | _PAYOUT
        | {"terminal": "terminal or place of the sale; empty: not named",
           "line_kind": "sale, fee, refund, chargeback, adjustment or payout",
           "occurred_at": "when it happened, UTC", "business_date": "its business day",
           "gross_pence": "before fees, pence; negative: taken from us", "fee_pence": "fee kept by the provider, pence",
           "net_pence": "gross less fee, pence", "payout_id": "payout that it came in; empty: not said",
           "payout_on": "when the provider says that the payout arrives; null: not said"},
    ),
    "core.bank_line": (
        "One row per line of a bank statement. Lines that are neither payout nor cash keep no text.",
        _LINE
        | {"account": "bank account", "line_kind": "payout of a provider, cash or other",
           "provider": "provider of a payout; empty: none", "booked_on": "day on which it was booked",
           "amount_pence": "pence; negative: out of the account", "text": "text of the line; empty for others"},
    ),
    "mart.settled_daily": (
        "One row per tender x truck x business day x state x cause x item: how many pence of the sales are where.",
        {"tender": "card or cash", "truck_id": "the truck's number; 0: no truck can be named",
         "business_date": "business day of the sales; of money without sales its own day", "state": _STATE,
         "cause": _CAUSE, "item": _ITEM, "provider": "card provider; empty: none",
         "expected_on": "day by which the bank should have had it", "pence": "pence"},
    ),
    "mart.payout": (
        "One row per payout of a card provider, and the bank line that it reached.",
        _PAYOUT
        | {"item": _ITEM, "payout_id": "the provider's id of it, or its day", "first_day": "first day of its lines",
           "last_day": "last day of its lines", "expected_on": "day by which the bank should have had it",
           "gross_pence": "sales, pence", "fee_pence": "fees, pence", "refund_pence": "refunds, pence",
           "chargeback_pence": "chargebacks, pence; negative: returned", "adjustment_pence": "other lines, pence",
           "amount_pence": "what the bank should have had, pence", "banked_pence": "what the bank had, pence",
           "banked_on": "when; null: not yet", "state": _STATE, "cause": _CAUSE},
    ),
    "mart.matching": (
        "One row: when sales, providers and bank were matched last.",
        {"one": "always true", "matched_at": "when, UTC; null: never", "version": "version of the figures then",
         "business_date": "business day then"},
    ),
    "ops.settlement_decision": (
        "One row per decision about an item of the matching; written once.",
        {"decision_id": "number of the decision", "made_at": "when, UTC", "item": _ITEM,
         "action": "explain, write_off or undo", "pence": "how many pence were open then", "actor": "who decided it",
         "why": "the reason that the person gave"},
    ),
    "ops.settlement_alert": (
        "One row per item of which the operators were told.",
        {"item": _ITEM, "alerted_at": "when, UTC"},
    ),
}  # fmt: skip


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)
    for table, (about, columns) in _COMMENTS.items():
        op.execute(_comment(f"TABLE {table}", about))
        for name, words in columns.items():
            op.execute(_comment(f"COLUMN {table}.{name}", words))


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_BACK)


def _comment(what: str, words: str) -> sa.TextClause:
    quoted = words.replace("'", "''").replace(":", "\\:")
    return sa.text(f"COMMENT ON {what} IS '{quoted}'")
