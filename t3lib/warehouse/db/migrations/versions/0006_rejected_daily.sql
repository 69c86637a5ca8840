-- Counting all rejects for each page took longer with every month: mart.rejected_daily becomes a rollup.
LOCK TABLE ops.rejected_row IN SHARE ROW EXCLUSIVE MODE;
DROP VIEW mart.rejected_daily;
-- One row per truck x business date x reason; business_date is the batch's where the row's own is unreadable, and
-- null where there is no batch either (history files).
CREATE TABLE mart.rejected_daily (
    truck_id      integer NOT NULL,
    business_date date,
    reason        text NOT NULL,
    rows          bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (business_date, truck_id, reason)
);
INSERT INTO mart.rejected_daily
SELECT rejected_row.truck_id, coalesce(rejected_row.business_date, source_file.batch_date), rejected_row.reason,
       count(*)
FROM ops.rejected_row
JOIN ops.source_file USING (file_id)
WHERE rejected_row.status IN ('open', 'dismissed')
GROUP BY 1, 2, 3;

-- What a transaction that still runs changed of the rejects; emptied as it commits, so no crash loses anything.
-- One row per statement x truck x business date x reason; the first of a statement folds them all.
CREATE UNLOGGED TABLE ops.rejected_delta (
    xid           xid8 NOT NULL DEFAULT pg_current_xact_id(),
    truck_id      integer NOT NULL,
    business_date date,
    reason        text NOT NULL,
    rows          bigint NOT NULL,
    is_first      boolean NOT NULL
);
CREATE INDEX rejected_delta_xid ON ops.rejected_delta (xid);

-- Triggers, because rejects change in many places: loads, repairs, dismissals, replays, files held, days cleaned again.
CREATE FUNCTION ops.note_rejected() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO ops.rejected_delta (truck_id, business_date, reason, rows, is_first)
        SELECT come.truck_id, coalesce(come.business_date, file.batch_date), come.reason, count(*),
               row_number() OVER () = 1
        FROM come JOIN ops.source_file AS file USING (file_id)
        WHERE come.status IN ('open', 'dismissed')
        GROUP BY 1, 2, 3;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO ops.rejected_delta (truck_id, business_date, reason, rows, is_first)
        SELECT gone.truck_id, coalesce(gone.business_date, file.batch_date), gone.reason, -count(*),
               row_number() OVER () = 1
        FROM gone JOIN ops.source_file AS file USING (file_id)
        WHERE gone.status IN ('open', 'dismissed')
        GROUP BY 1, 2, 3;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rejected_inserted AFTER INSERT ON ops.rejected_row
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION ops.note_rejected();
CREATE TRIGGER rejected_updated AFTER UPDATE ON ops.rejected_row
    REFERENCING NEW TABLE AS come OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ops.note_rejected();
CREATE TRIGGER rejected_deleted AFTER DELETE ON ops.rejected_row
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ops.note_rejected();

-- At commit, and for all statements of a transaction at once: only so are the rollup's rows taken in key order, and
-- two loads never wait for each other crosswise. Rows that reach zero go.
CREATE FUNCTION ops.fold_rejected() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    emptied bigint;
BEGIN
    WITH noted AS (
        DELETE FROM ops.rejected_delta WHERE xid = pg_current_xact_id()
        RETURNING truck_id, business_date, reason, rows
    ),

    moved AS (
        SELECT truck_id, business_date, reason, sum(rows)::bigint AS rows
        FROM noted
        GROUP BY truck_id, business_date, reason
        HAVING sum(rows) <> 0
        ORDER BY business_date, truck_id, reason
    ),

    kept AS (
        INSERT INTO mart.rejected_daily AS kept (truck_id, business_date, reason, rows)
        SELECT truck_id, business_date, reason, rows FROM moved
        ON CONFLICT (business_date, truck_id, reason) DO UPDATE SET rows = kept.rows + excluded.rows
        RETURNING kept.rows
    )

    SELECT count(*) INTO emptied FROM kept WHERE kept.rows = 0;
    IF emptied > 0 THEN
        DELETE FROM mart.rejected_daily WHERE rejected_daily.rows = 0;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rejected_folds AFTER INSERT ON ops.rejected_delta
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.is_first) EXECUTE FUNCTION ops.fold_rejected();

-- `t3 doctor --repair` corrects what was shown, and says so like every other change.
ALTER TABLE ops.restatement DROP CONSTRAINT restatement_cause_check;
ALTER TABLE ops.restatement ADD CONSTRAINT restatement_cause_check CHECK (cause IN
    ('new_version', 'late_file', 'released', 'held', 'again', 'metadata', 'repair', 'replay', 'undo', 'rebuild'));
