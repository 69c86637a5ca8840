-- The second look reads pg_class itself: waiting for an advisory lock does not refresh what to_regclass remembers,
-- so the one that waited would make the partition again.
CREATE OR REPLACE FUNCTION core.ensure_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
DECLARE
    first date := date_trunc('month', month);
    name text := 'sale_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('core.' || name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('t3 partitions'));
        IF NOT EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'core'::regnamespace) THEN
            -- Attached, not created as a partition: that would lock every load of the table out.
            EXECUTE format('CREATE TABLE core.%I (LIKE core.sale INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format('ALTER TABLE core.sale ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                           name, first, (first + interval '1 month')::date);
        END IF;
    END IF;
END $$;
