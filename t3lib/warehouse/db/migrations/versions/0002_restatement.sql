-- A file that left the bucket stays loaded; deleted_at says when a sweep first missed it.
-- 'held' is a loaded file that a person took out again.
ALTER TABLE ops.source_file ADD COLUMN deleted_at timestamptz;
ALTER TABLE ops.source_file DROP CONSTRAINT source_file_state_check;
ALTER TABLE ops.source_file ADD CONSTRAINT source_file_state_check CHECK (state IN
    ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held', 'unreadable', 'bad_header', 'ignored'));
CREATE INDEX source_file_finished ON ops.source_file (finished_at)
    WHERE state IN ('loaded', 'superseded') AND kind <> 'metadata';

DROP TRIGGER file_reconciles ON ops.source_file;
CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state IN ('loaded', 'superseded', 'held_duplicate', 'held'))
    EXECUTE FUNCTION ops.assert_file_reconciles();

-- Why a batch exists: new files, a person who asked for files again, or metadata that judges their rows otherwise.
ALTER TABLE ops.batch ADD COLUMN cause text NOT NULL DEFAULT 'new' CHECK (cause IN ('new', 'again', 'metadata'));
ALTER TABLE ops.batch ADD COLUMN actor text NOT NULL DEFAULT '';
ALTER TABLE ops.batch ADD COLUMN why text NOT NULL DEFAULT '';

-- One row per loaded file that a batch cleans again. The file stays loaded, and its rows visible, until that
-- batch commits; outcome is null until then.
CREATE TABLE ops.again_file (
    batch_id    text NOT NULL REFERENCES ops.batch,
    file_id     bigint NOT NULL REFERENCES ops.source_file,
    outcome     text CHECK (outcome IN ('restated', 'unchanged', 'gone', 'refused', 'superseded')),
    reason      text,
    finished_at timestamptz,
    PRIMARY KEY (batch_id, file_id)
);
CREATE UNIQUE INDEX again_file_waiting ON ops.again_file (file_id) WHERE outcome IS NULL;
CREATE INDEX again_file_file ON ops.again_file (file_id);

-- A row that a later rule accepted is 'replayed', one that a person accepted is 'repaired'; both are sales now.
ALTER TABLE ops.rejected_row DROP CONSTRAINT rejected_row_status_check;
ALTER TABLE ops.rejected_row ADD CONSTRAINT rejected_row_status_check CHECK (status IN
    ('open', 'repaired', 'replayed', 'dismissed', 'superseded'));

-- One row per decision on a rejected row, never changed. What is null before was not a sale.
CREATE TABLE ops.repair (
    repair_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id        bigint NOT NULL REFERENCES ops.source_file,
    row_number     integer NOT NULL,
    action         text NOT NULL CHECK (action IN ('repair', 'dismiss', 'replay', 'carry', 'accept', 'undo')),
    undoes         bigint REFERENCES ops.repair,
    actor          text NOT NULL CHECK (actor <> ''),
    why            text NOT NULL CHECK (why <> ''),
    forced         boolean NOT NULL DEFAULT false,
    status_before  text NOT NULL,
    status_after   text NOT NULL,
    sold_at        timestamptz,
    payment_type   text,
    total_pence    integer,
    made_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repair_row ON ops.repair (file_id, row_number);
CREATE UNIQUE INDEX repair_undone ON ops.repair (undoes);

-- One row per other decision of a person: a file held or released, days cleaned again. Never changed.
CREATE TABLE ops.audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action   text NOT NULL,
    subject  text NOT NULL,
    actor    text NOT NULL CHECK (actor <> ''),
    why      text NOT NULL CHECK (why <> ''),
    made_at  timestamptz NOT NULL DEFAULT now()
);

-- What changed of figures that stood before: one row per transaction x cause x truck x business day.
CREATE TABLE ops.restatement (
    restatement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at        timestamptz NOT NULL DEFAULT now(),
    cause          text NOT NULL CHECK (cause IN ('new_version', 'late_file', 'released', 'held', 'again', 'metadata',
                                                  'repair', 'replay', 'undo')),
    truck_id       integer NOT NULL,
    business_date  date NOT NULL,
    rows_before    bigint NOT NULL,
    rows_after     bigint NOT NULL,
    pence_before   bigint NOT NULL,
    pence_after    bigint NOT NULL,
    keys           text[] NOT NULL,
    batch_id       text REFERENCES ops.batch,
    actor          text NOT NULL DEFAULT '',
    why            text NOT NULL DEFAULT ''
);
CREATE INDEX restatement_made ON ops.restatement (made_at);
CREATE INDEX restatement_day ON ops.restatement (business_date, truck_id);

CREATE INDEX run_batch ON ops.run ((parameters ->> 'batch_id'));

-- What staff may see of all this.
CREATE VIEW mart.restatement AS
SELECT restatement_id, made_at, cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
       keys, why
FROM ops.restatement;
CREATE OR REPLACE VIEW mart.file AS
SELECT file_id, key, kind, truck_id, batch_date, batch_hour, state, reason, warnings, rows_read, rows_loaded,
       rows_rejected, pence_loaded, first_sale_at, last_sale_at, discovered_at, finished_at, deleted_at, etag, batch_id
FROM ops.source_file;
-- One row per sale, as it stands in core.sale.
CREATE VIEW mart.sale AS
SELECT truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type, total_pence, flags
FROM core.sale;
-- One row per rejected row; business_date is the batch's where the row's own is unreadable.
CREATE VIEW mart.rejected AS
SELECT rejected_row.file_id, rejected_row.row_number, rejected_row.truck_id, raw_timestamp, raw_type, raw_total,
       rejected_row.reason, suggested_pence, sold_at,
       coalesce(rejected_row.business_date, source_file.batch_date) AS business_date, status
FROM ops.rejected_row
JOIN ops.source_file USING (file_id);
-- One row per file x executed notebook that handled it.
CREATE VIEW mart.file_run AS
WITH handled AS (
    SELECT file_id, batch_id FROM ops.source_file WHERE batch_id IS NOT NULL
    UNION
    SELECT file_id, batch_id FROM ops.again_file
)
SELECT handled.file_id, handled.batch_id, run.run_id, run.notebook, run.state, run.started_at, run.seconds,
       run.git_commit, run.executed_copy
FROM handled
JOIN ops.run ON run.parameters ->> 'batch_id' = handled.batch_id;
