-- The number of this version among those of its key, in the order of the listings; NULL for an upload of the same
-- content as the loaded version, whose rows already represent it. An insert names the number, so two listings at once
-- cannot both enter the version, and an etag that was there before makes a new version when it returns.
ALTER TABLE ops.source_file ADD COLUMN version integer DEFAULT 1;
UPDATE ops.source_file AS file SET version = seen.version
FROM (SELECT file_id, row_number() OVER (PARTITION BY key ORDER BY file_id) AS version FROM ops.source_file) AS seen
WHERE file.file_id = seen.file_id AND seen.version > 1;
ALTER TABLE ops.source_file
    DROP CONSTRAINT source_file_key_etag_key,
    ADD CONSTRAINT source_file_version UNIQUE (key, version);
