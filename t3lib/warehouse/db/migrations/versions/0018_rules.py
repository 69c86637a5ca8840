"""The rules of cleaning beside the figures: their text with each loaded file, and the words of every reason."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

# The reasons and flags of the versions before, whose rejects and sales keep their words.
_REASONS = [
    ("missing_total", "The total is empty, 'blank' or 'NULL'."),
    ("void", "The sale was voided on the till."),
    ("error_marker", "The till wrote an error marker instead of a total."),
    ("not_a_number", "The total is not an amount of money."),
    ("zero", "The total is zero."),
    ("negative", "The total is negative."),
    ("decimal_shift", "The total is 100 times a price that this truck sells at: a lost decimal point."),
    ("above_limit", "The total is far above anything that this truck sells."),
    ("bad_timestamp", "The time cannot be read."),
    ("future", "The time lies after the file was uploaded."),
    ("too_old", "The time lies before the company's first year."),
    ("unknown_payment_type", "The payment is neither card nor cash."),
    ("wrong_cells", "The row has more or fewer cells than the first line has names."),
]
_FLAGS = [
    ("card_without_reader", "A card sale at a truck without a card reader (loaded).", 1),
    ("outside_batch_window", "Sold outside the three hours that the batch covers (loaded).", 2),
    ("unknown_truck", "The truck is not in details.xlsx (loaded).", 4),
]


def upgrade() -> None:
    op.execute("""
        -- One row per text of the rules that ever loaded a file.
        CREATE TABLE ops.ruleset (
            hash          text PRIMARY KEY,
            cells         jsonb NOT NULL,
            first_used_at timestamptz NOT NULL DEFAULT now()
        );
        -- One row per reason or flag that rules ever gave. bit: the number of a flag in core.sale.flags.
        CREATE TABLE ops.reason (
            code     text PRIMARY KEY,
            sentence text NOT NULL,
            bit      smallint UNIQUE CHECK (bit > 0 AND (bit & (bit - 1)) = 0),
            ruleset  text REFERENCES ops.ruleset
        );
        COMMENT ON COLUMN ops.reason.ruleset IS 'the last rules that stated it; none: rules before version 0.3';
        CREATE VIEW mart.reason AS SELECT code, sentence, bit FROM ops.reason;
        ALTER TABLE ops.source_file ADD COLUMN ruleset text REFERENCES ops.ruleset;
        COMMENT ON COLUMN ops.source_file.ruleset IS 'the rules under which its rows were cleaned last';
        CREATE OR REPLACE VIEW mart.file AS
        SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
               rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at, deleted_at, etag,
               batch_id, columns_not_read, ruleset
        FROM ops.source_file;
        CREATE VIEW mart.ruleset AS SELECT hash, cells, first_used_at FROM ops.ruleset;
    """)
    reasons = sa.table("reason", sa.column("code"), sa.column("sentence"), sa.column("bit"), schema="ops")
    op.bulk_insert(reasons, [{"code": code, "sentence": said, "bit": None} for code, said in _REASONS])
    op.bulk_insert(reasons, [{"code": code, "sentence": said, "bit": bit} for code, said, bit in _FLAGS])


def downgrade() -> None:
    op.execute("""
        DROP VIEW mart.reason, mart.ruleset, mart.file;
        CREATE VIEW mart.file AS
        SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
               rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at, deleted_at, etag,
               batch_id, columns_not_read
        FROM ops.source_file;
        ALTER TABLE ops.source_file DROP COLUMN ruleset;
        DROP TABLE ops.reason, ops.ruleset;
    """)
