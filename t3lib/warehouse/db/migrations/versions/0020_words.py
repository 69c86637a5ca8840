"""The words in force when a row was rejected, and the cell of each rule, beside the text of the rules."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_STATED = (
    "what each text of the rules states: under `rules` by code the sentence, whether it rejects, and the number of its "
    "cell from 1; under `readings` which texts of a column are read as what, and by which cell; empty: not known"
)
_RULESET = "hash of the rules that gave its reason; null: the rules under which its file was cleaned"
_SENTENCE = "what the reason said when the row was rejected"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE ops.ruleset ADD COLUMN stated jsonb NOT NULL DEFAULT '{"rules": {}, "readings": []}';
        ALTER TABLE ops.rejected_row ADD COLUMN ruleset text;

        -- Rules kept before this version have no description: they get today's sentences.
        INSERT INTO ops.ruleset (hash, cells, first_used_at) VALUES ('before 0.3', '[]', 'epoch');
        UPDATE ops.ruleset SET stated = jsonb_build_object('readings', '[]'::jsonb, 'rules', (
            SELECT coalesce(jsonb_object_agg(code, jsonb_build_object(
                'sentence', sentence, 'rejects', bit IS NULL)), '{}') FROM ops.reason));

        CREATE OR REPLACE VIEW mart.ruleset AS SELECT hash, cells, first_used_at, stated FROM ops.ruleset;
        CREATE OR REPLACE VIEW mart.rejected AS
        SELECT rejected_row.file_id, rejected_row.row_number, rejected_row.truck_id, raw_timestamp, raw_type, raw_total,
               rejected_row.reason, suggested_pence, sold_at,
               coalesce(rejected_row.business_date, source_file.batch_date) AS business_date, status, raw_line,
               coalesce(rejected_row.ruleset, source_file.ruleset) AS ruleset,
               coalesce(ruleset.stated -> 'rules' -> rejected_row.reason ->> 'sentence', known.sentence) AS sentence
        FROM ops.rejected_row
        JOIN ops.source_file USING (file_id)
        LEFT JOIN ops.ruleset ON hash = coalesce(rejected_row.ruleset, source_file.ruleset, 'before 0.3')
        LEFT JOIN ops.reason AS known ON known.code = rejected_row.reason;
    """)
    for column, words in (
        ("ops.ruleset.stated", _STATED),
        ("mart.ruleset.stated", _STATED),
        ("ops.rejected_row.ruleset", _RULESET),
        ("mart.rejected.ruleset", "hash of the rules that gave its reason; null: rules before version 0.3"),
        ("mart.rejected.sentence", _SENTENCE),
    ):
        op.execute(sa.text(f"COMMENT ON COLUMN {column} IS '{words}'".replace(":", "\\:")))


def downgrade() -> None:
    op.execute("""
        DROP VIEW mart.rejected, mart.ruleset;
        ALTER TABLE ops.rejected_row DROP COLUMN ruleset;
        ALTER TABLE ops.ruleset DROP COLUMN stated;
        DELETE FROM ops.ruleset WHERE hash = 'before 0.3';
        CREATE VIEW mart.ruleset AS SELECT hash, cells, first_used_at FROM ops.ruleset;
        CREATE VIEW mart.rejected AS
        SELECT rejected_row.file_id, rejected_row.row_number, rejected_row.truck_id, raw_timestamp, raw_type, raw_total,
               rejected_row.reason, suggested_pence, sold_at,
               coalesce(rejected_row.business_date, source_file.batch_date) AS business_date, status, raw_line
        FROM ops.rejected_row
        JOIN ops.source_file USING (file_id);
    """)
