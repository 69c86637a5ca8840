"""What was not read of a file, rows kept as they were written, and files held for a column that is not read."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("""
        SET CONSTRAINTS ALL IMMEDIATE;
        UPDATE ops.source_file SET state = 'held' WHERE state = 'held_columns';
        DROP TRIGGER file_reconciles ON ops.source_file;
        CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.state IN ('loaded', 'superseded') OR NEW.state LIKE 'held%')
            EXECUTE FUNCTION ops.assert_file_reconciles();
        ALTER TABLE ops.source_file DROP CONSTRAINT source_file_state_check;
        ALTER TABLE ops.source_file ADD CONSTRAINT source_file_state_check CHECK (state IN
            ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held_overlap', 'held', 'unreadable',
             'bad_header', 'ignored'));
        DROP VIEW mart.file, mart.rejected;
        ALTER TABLE ops.source_file DROP COLUMN columns_not_read, DROP COLUMN all_sales;
        UPDATE ops.rejected_row SET raw_total = coalesce(raw_total, raw_line);
        ALTER TABLE ops.rejected_row DROP COLUMN raw_line;
        CREATE VIEW mart.file AS
        SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
               rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at, deleted_at, etag,
               batch_id
        FROM ops.source_file;
        CREATE VIEW mart.rejected AS
        SELECT rejected_row.file_id, rejected_row.row_number, rejected_row.truck_id, raw_timestamp, raw_type,
               raw_total, rejected_row.reason, suggested_pence, sold_at,
               coalesce(rejected_row.business_date, source_file.batch_date) AS business_date, status
        FROM ops.rejected_row
        JOIN ops.source_file USING (file_id);
    """)
