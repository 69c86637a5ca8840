-- The how-manieth version of its key this is, as listings saw them; none for an upload of the same content as the
-- loaded version, whose rows stand for it. Who enters a version names its number, so two who list at once cannot
-- both enter it, and an etag that was there before is a version again when it comes back.
ALTER TABLE ops.source_file ADD COLUMN version integer DEFAULT 1;
UPDATE ops.source_file AS file SET version = seen.version
FROM (SELECT file_id, row_number() OVER (PARTITION BY key ORDER BY file_id) AS version FROM ops.source_file) AS seen
WHERE file.file_id = seen.file_id AND seen.version > 1;
ALTER TABLE ops.source_file
    DROP CONSTRAINT source_file_key_etag_key,
    ADD CONSTRAINT source_file_version UNIQUE (key, version);
