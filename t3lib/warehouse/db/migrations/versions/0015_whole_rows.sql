-- The names of a file's columns that T3 does not read, in the order of the file.
ALTER TABLE ops.source_file ADD COLUMN columns_not_read text[] NOT NULL DEFAULT '{}';
-- A row whose number of cells is not the header's, whole as it was written; its other raw texts are null.
ALTER TABLE ops.rejected_row ADD COLUMN raw_line text;

-- 'held_columns': a column that is not read may say that rows are no sales; all_sales is a person's word that none does.
ALTER TABLE ops.source_file ADD COLUMN all_sales boolean NOT NULL DEFAULT false;
ALTER TABLE ops.source_file DROP CONSTRAINT source_file_state_check;
ALTER TABLE ops.source_file ADD CONSTRAINT source_file_state_check CHECK (state IN
    ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held_overlap', 'held_columns', 'held', 'unreadable', 'bad_header',
     'ignored'));
DROP TRIGGER file_reconciles ON ops.source_file;
CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state IN ('loaded', 'superseded') OR starts_with(NEW.state, 'held'))
    EXECUTE FUNCTION ops.assert_file_reconciles();

-- One row per truck x batch (or history file).
CREATE OR REPLACE VIEW mart.file AS
SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
       rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at, deleted_at, etag, batch_id,
       columns_not_read
FROM ops.source_file;
-- One row per rejected row; business_date is the batch's where the row's own is unreadable.
CREATE OR REPLACE VIEW mart.rejected AS
SELECT rejected_row.file_id, rejected_row.row_number, rejected_row.truck_id, raw_timestamp, raw_type, raw_total,
       rejected_row.reason, suggested_pence, sold_at,
       coalesce(rejected_row.business_date, source_file.batch_date) AS business_date, status, raw_line
FROM ops.rejected_row
JOIN ops.source_file USING (file_id);
