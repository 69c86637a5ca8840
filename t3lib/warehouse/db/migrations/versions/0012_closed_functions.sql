-- Locks are rows that only the owner and the loading may lock: an advisory lock can be taken, and kept, by any role.
CREATE TABLE ops.lock (name text PRIMARY KEY);
INSERT INTO ops.lock VALUES ('again'), ('archive'), ('desk'), ('partitions');
-- Loads share this one: a table's lock is given in the order in which it was asked for, so no change of the
-- dimensions waits for ever behind loads that follow each other, as it would for a row.
CREATE TABLE ops.dimension_lock ();
-- Who holds what for as long as its session lives: a worker's seat, the lead. Only the owner writes.
CREATE TABLE ops.lease (name text PRIMARY KEY, pid integer NOT NULL, started_at timestamptz NOT NULL);

-- Partitions belong to the owner, so this one runs as the owner; it is the only one of the loading that does.
CREATE OR REPLACE FUNCTION core.ensure_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first pg_catalog.date := pg_catalog.date_trunc('month', month);
    name pg_catalog.text := 'sale_' || pg_catalog.to_char(first, 'YYYY_MM');
BEGIN
    IF pg_catalog.to_regclass('core.' || name) IS NULL THEN
        PERFORM FROM ops.lock WHERE lock.name = 'partitions' FOR UPDATE;
        -- The second look reads pg_class itself: waiting for a lock does not refresh what to_regclass remembers.
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_class
                       WHERE relname = name AND relnamespace = 'core'::pg_catalog.regnamespace) THEN
            -- Attached, not created as a partition: that would lock every load of the table out.
            EXECUTE pg_catalog.format(
                'CREATE TABLE core.%I (LIKE core.sale INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE pg_catalog.format(
                'ALTER TABLE core.sale ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                name, first, (first + '1 month'::pg_catalog.interval)::pg_catalog.date);
        END IF;
    END IF;
END $$;

-- These need no more rights than who changes the tables has: they run as that role, not as the owner. A role that
-- once put one on a table of its own gains nothing by it. `changed`, `come` and `gone` are rows of the statement.
ALTER FUNCTION ops.mark_for_archive() SECURITY INVOKER;
ALTER FUNCTION ops.assert_file_reconciles() SECURITY INVOKER;
ALTER FUNCTION ops.note_rejected() SECURITY INVOKER;
ALTER FUNCTION ops.fold_rejected() SECURITY INVOKER;
ALTER FUNCTION ops.require_file() SECURITY INVOKER;
ALTER FUNCTION ops.mark_for_archive() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION ops.assert_file_reconciles() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION ops.note_rejected() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION ops.fold_rejected() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION ops.require_file() SET search_path = pg_catalog, pg_temp;

-- Signs for the server of the operations page who looks at it; no role but the owner may read it.
CREATE TABLE ops.visitor_key (one boolean PRIMARY KEY DEFAULT true CHECK (one), key bytea NOT NULL);
INSERT INTO ops.visitor_key (key)
SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

-- What no page of T3 writes is ended, so that the bounds hold for every row.
UPDATE ops.request SET kind = left(kind, 40)
WHERE length(kind) > 40;
UPDATE ops.request SET kind = 'unknown'
WHERE kind = '';
UPDATE ops.request SET parameters = '{"too_long": true}'
WHERE octet_length(parameters::text) > 8000;
ALTER TABLE ops.request ADD CONSTRAINT request_bounds
    CHECK (length(kind) BETWEEN 1 AND 40 AND octet_length(parameters::text) <= 8000);

-- A request bears the name of who signed in. The page's server signs a visitor's name (in hex) and a last second with
-- ops.visitor_key: that is the visitor's own key. With it the visitor's kernel signs the transaction that asks, so
-- nothing that others can see serves them. An empty name: nobody signs in at this page, and the name is typed.
CREATE FUNCTION ops.require_visitor() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said pg_catalog.text[] := pg_catalog.string_to_array(
        coalesce(pg_catalog.current_setting('t3.visitor', true), ''), '|');
    secret pg_catalog.bytea;
    message pg_catalog.bytea;
BEGIN
    IF session_user = current_user THEN
        RETURN NEW;  -- the owner
    END IF;
    SELECT visitor_key.key INTO STRICT secret FROM ops.visitor_key;
    message := pg_catalog.convert_to(coalesce(said[1] || '|' || said[2], ''), 'UTF8');
    secret := pg_catalog.sha256(secret || pg_catalog.sha256(secret || message));
    message := pg_catalog.convert_to(pg_catalog.pg_current_xact_id()::pg_catalog.text, 'UTF8');
    IF pg_catalog.encode(pg_catalog.sha256(secret || pg_catalog.sha256(secret || message)), 'hex')
            IS DISTINCT FROM said[3] THEN
        RAISE EXCEPTION 'Nobody is known to ask: reload the operations page, and ask there.'
            USING ERRCODE = 'insufficient_privilege';
    ELSIF said[2]::pg_catalog.int8 < extract(epoch FROM pg_catalog.now()) THEN
        RAISE EXCEPTION 'This page was opened too long ago: reload it, and ask again.'
            USING ERRCODE = 'insufficient_privilege';
    ELSIF said[1] NOT IN ('', pg_catalog.encode(pg_catalog.convert_to(NEW.asked_by, 'UTF8'), 'hex')) THEN
        RAISE EXCEPTION 'A request bears the name of who signed in, not %.', NEW.asked_by
            USING ERRCODE = 'insufficient_privilege';
    ELSIF (SELECT pg_catalog.count(*) FROM ops.request WHERE request.state = 'waiting') >= 1000 THEN
        RAISE EXCEPTION '1,000 requests wait for a worker: ask again when they are done.'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER visitor_signed BEFORE INSERT ON ops.request FOR EACH ROW EXECUTE FUNCTION ops.require_visitor();

-- No function is for everybody, now and later; roles.sql says who may run which.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops, core, mart FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
DO $$
DECLARE
    role text;
BEGIN
    FOR role IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname ~ '^t3_(etl|dashboard|analyst|mailer|operator)$' LOOP
        EXECUTE format('REVOKE ALL ON ops.visitor_key, ops.lease, ops.lock, ops.dimension_lock FROM %I', role);
    END LOOP;
END $$;
