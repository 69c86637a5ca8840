-- One row per change of a truck's business day that the archive has not taken in yet. Only ever added to by loads
-- and taken from by the archive's writer: two loads never wait for each other here, nor for the writer.
CREATE TABLE ops.archive_mark (
    mark_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    truck_id      integer NOT NULL,
    business_date date NOT NULL,
    marked_at     timestamptz NOT NULL DEFAULT now()
);

-- Whatever changes the figures of a day (a load, a restatement, a repair, new pitches) marks it in the same
-- transaction, so nothing that commits can be forgotten. The hourly rollup has few rows and every change moves it;
-- the sales themselves would pay for transition tables on the bulk load.
CREATE FUNCTION ops.mark_for_archive() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO ops.archive_mark (truck_id, business_date) SELECT DISTINCT truck_id, business_date FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER archive_inserted AFTER INSERT ON mart.sales_hourly
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.mark_for_archive();
CREATE TRIGGER archive_updated AFTER UPDATE ON mart.sales_hourly
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.mark_for_archive();
CREATE TRIGGER archive_deleted AFTER DELETE ON mart.sales_hourly
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ops.mark_for_archive();

-- Days that were loaded before there was an archive.
INSERT INTO ops.archive_mark (truck_id, business_date)
SELECT DISTINCT truck_id, business_date FROM mart.sales_hourly;
