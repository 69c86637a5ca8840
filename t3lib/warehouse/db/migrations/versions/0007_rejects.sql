-- Each rejected row belongs to a file: asked once a statement, since a foreign key asks once a row, which was a
-- tenth of a load. Files are never deleted.
ALTER TABLE ops.rejected_row DROP CONSTRAINT rejected_row_file_id_fkey;
CREATE FUNCTION ops.require_file() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT file_id FROM come) AS row
               WHERE NOT EXISTS (SELECT FROM ops.source_file AS file WHERE file.file_id = row.file_id)) THEN
        RAISE EXCEPTION 'A rejected row names a file that ops.source_file does not have'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER file_exists AFTER INSERT ON ops.rejected_row
    REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION ops.require_file();
