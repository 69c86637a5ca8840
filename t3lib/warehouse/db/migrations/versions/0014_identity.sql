DROP TRIGGER file_reconciles ON ops.source_file;
-- logical_key: the key without zero-padding (t3lib.feed.keys.logical). is_twin: loaded beside a newer version of its
-- logical key, before spellings counted as one. rejects_digest: of a file without a sale, what its rows say. may_repeat:
-- a person's word that it stands beside a file with the same sales.
ALTER TABLE ops.source_file
    ADD COLUMN logical_key text NOT NULL GENERATED ALWAYS AS (regexp_replace(regexp_replace(key,
        '^trucks/([0-9]{4})-0*([0-9]+)/0*([0-9]+)/0*([0-9]+)/T3_T0*([0-9]+)_', 'trucks/\1-\2/\3/\4/T3_T\5_'),
        '^historical/TRUCK_DATA_HIST_0*([0-9]+)\.parquet$', 'historical/TRUCK_DATA_HIST_\1.parquet')) STORED,
    ADD COLUMN is_twin boolean NOT NULL DEFAULT false,
    ADD COLUMN rejects_digest text,
    ADD COLUMN may_repeat boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT source_file_state_check,
    ADD CONSTRAINT source_file_state_check CHECK (state IN
        ('new', 'claimed', 'loaded', 'superseded', 'held_duplicate', 'held_overlap', 'held',
         'unreadable', 'bad_header', 'ignored'));

UPDATE ops.source_file SET may_repeat = true WHERE released;
UPDATE ops.source_file AS old SET is_twin = true
WHERE state = 'loaded'
  AND EXISTS (SELECT FROM ops.source_file AS newer
              WHERE newer.logical_key = old.logical_key AND newer.state = 'loaded'
                AND (newer.last_modified, newer.file_id) > (old.last_modified, old.file_id));
UPDATE ops.source_file AS file SET rejects_digest = said.digest
FROM (
    SELECT file_id, count(*) AS rows, encode(sha256(convert_to(string_agg(line, chr(30) ORDER BY line COLLATE "C"), 'UTF8')),
                                             'hex') AS digest
    FROM (SELECT file_id, concat_ws(chr(31), coalesce(extract(epoch FROM sold_at)::bigint::text, raw_timestamp, ''),
                                    coalesce(raw_type, ''), coalesce(raw_total, '')) AS line
          FROM ops.rejected_row
          JOIN ops.source_file USING (file_id)
          WHERE state = 'loaded' AND rows_loaded = 0) AS written
    GROUP BY file_id
) AS said
WHERE file.file_id = said.file_id AND said.rows = file.rows_read;

-- A logical key has at most one loaded version.
DROP INDEX ops.source_file_one_loaded;
CREATE UNIQUE INDEX source_file_one_loaded ON ops.source_file (logical_key) WHERE state = 'loaded' AND NOT is_twin;
CREATE INDEX source_file_logical ON ops.source_file (logical_key);
-- Files that span more than a day (the others that tell of the same hours are found by source_file_heard). Files of
-- rejects only, by what these say.
CREATE INDEX source_file_long ON ops.source_file (truck_id)
    WHERE state = 'loaded' AND last_sale_at - first_sale_at > interval '1 day';
CREATE INDEX source_file_rejects_digest ON ops.source_file (rejects_digest) WHERE rejects_digest IS NOT NULL;

-- What is being loaded: the hours that each file of a batch covers, or its rejects_digest, from before the load's
-- transaction until it commits. What a load that died left here says only that its files are still to come.
CREATE UNLOGGED TABLE ops.registered_file (
    file_id        bigint NOT NULL,
    truck_id       integer NOT NULL,
    first_sale_at  timestamptz,
    last_sale_at   timestamptz,
    rejects_digest text
);
CREATE INDEX registered_file_file ON ops.registered_file (file_id);
CREATE INDEX registered_file_truck ON ops.registered_file (truck_id);

CREATE CONSTRAINT TRIGGER file_reconciles AFTER INSERT OR UPDATE ON ops.source_file
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state IN ('loaded', 'superseded') OR NEW.state LIKE 'held%')
    EXECUTE FUNCTION ops.assert_file_reconciles();
