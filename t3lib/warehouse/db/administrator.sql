-- What only a superuser may do, once per database: no role makes large objects, which no limit bounds and nobody sees,
-- and the last connections of a full server are kept for loads.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid),
    pg_catalog.lo_from_bytea(oid, bytea), pg_catalog.lo_put(oid, bigint, bytea), pg_catalog.lo_open(oid, integer),
    pg_catalog.lowrite(integer, bytea), pg_catalog.lo_truncate(integer, integer),
    pg_catalog.lo_truncate64(integer, bigint) FROM PUBLIC;
DO $$
DECLARE
    made oid;
BEGIN
    -- Large objects that the roles made before stay, under another owner.
    FOR made IN SELECT lob.oid FROM pg_largeobject_metadata AS lob JOIN pg_roles ON pg_roles.oid = lomowner
                WHERE rolname IN ('t3_etl', 't3_dashboard', 't3_analyst', 't3_mailer', 't3_operator') LOOP
        EXECUTE format('ALTER LARGE OBJECT %s OWNER TO CURRENT_USER', made);
    END LOOP;
    IF current_setting('server_version_num')::integer >= 160000 THEN
        GRANT pg_use_reserved_connections TO t3_etl;
    END IF;
END $$;
