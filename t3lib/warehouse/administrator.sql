-- What only a superuser may do, once a database: no role makes large objects, which no limit bounds and nobody sees,
-- and the last connections of a full server are the loading's.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid),
    pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 160000 THEN
        GRANT pg_use_reserved_connections TO t3_etl;
    END IF;
END $$;
