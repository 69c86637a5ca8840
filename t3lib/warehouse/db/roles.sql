-- What each role may do; run as the owner of the schemas, as often as wanted.
CREATE SCHEMA IF NOT EXISTS sandbox;

-- Start from nothing, so that a right taken out of this file is taken from the roles too.
REVOKE ALL ON ALL TABLES IN SCHEMA ops, core, mart FROM t3_etl, t3_dashboard, t3_analyst, t3_mailer, t3_operator;
-- No function is open to PUBLIC, now or later; only roles that need temporary objects may make them.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops, core, mart FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ops, core, mart
    FROM t3_etl, t3_dashboard, t3_analyst, t3_mailer, t3_operator;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'dbos') THEN
        REVOKE ALL ON SCHEMA dbos FROM PUBLIC;
        REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA dbos FROM PUBLIC;
    END IF;
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database WHERE datname = current_database()) THEN
        EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO t3_etl', current_database());
        IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public') THEN
            REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        END IF;
    END IF;
END $$;
GRANT USAGE ON SCHEMA core, mart TO t3_etl, t3_dashboard, t3_analyst, t3_mailer, t3_operator;
GRANT USAGE ON SCHEMA ops TO t3_etl, t3_analyst, t3_mailer, t3_operator;

-- etl changes every row and no table; partitions come from ensure_month.
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ops, core, mart TO t3_etl;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ops, core, mart TO t3_etl;
GRANT EXECUTE ON FUNCTION core.ensure_month(date) TO t3_etl;
GRANT EXECUTE ON FUNCTION core.place(integer, timestamptz) TO t3_etl, t3_dashboard, t3_analyst;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ops.schema_version FROM t3_etl;
-- What people decided, and what it changed, is written once.
REVOKE UPDATE, DELETE, TRUNCATE ON ops.repair, ops.audit, ops.restatement, ops.journal, ops.journal_line,
    ops.settlement_decision FROM t3_etl;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ops.request FROM t3_etl;
-- It takes the locks of loads; worker leases, and the key that signs visitors, are the owner's.
REVOKE INSERT, DELETE, TRUNCATE ON ops.lock, ops.dimension_lock FROM t3_etl;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ops.lease FROM t3_etl;

-- dashboard and mailer read the figures and what names them; mailer keeps the outbox and its runs.
GRANT SELECT ON ALL TABLES IN SCHEMA mart TO t3_dashboard, t3_mailer;
GRANT SELECT ON core.truck, core.location, core.pitch, core.menu_item, core.menu_price, core.cost
    TO t3_dashboard, t3_mailer;
GRANT SELECT ON ops.setting, ops.source_file TO t3_mailer;
GRANT SELECT, INSERT, UPDATE ON ops.mail_outbox, ops.run TO t3_mailer;

-- analyst and operator read all but the mails themselves. The analyst writes in the sandbox; the operator enters
-- requests, whose state and outcome only the worker writes.
GRANT SELECT ON ALL TABLES IN SCHEMA ops, core, mart TO t3_analyst, t3_operator;
REVOKE SELECT ON ops.mail_outbox, mart.mail FROM t3_analyst, t3_operator;
GRANT SELECT (mail_id, report, business_date, edition, recipient, revision, message_id, subject, state, attempts,
              next_try_at, reply, run_id, prepared_at, finished_at, gross_sales_pence, transactions, contribution_pence)
    ON ops.mail_outbox TO t3_analyst, t3_operator;
GRANT USAGE, CREATE ON SCHEMA sandbox TO t3_analyst;
GRANT INSERT (kind, parameters, asked_by, why) ON ops.request TO t3_operator;
REVOKE ALL ON ops.visitor_key FROM t3_etl, t3_dashboard, t3_analyst, t3_mailer, t3_operator;

-- Tables of later migrations and partitions.
ALTER DEFAULT PRIVILEGES IN SCHEMA ops, core, mart
    GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO t3_etl;
ALTER DEFAULT PRIVILEGES IN SCHEMA ops, core, mart GRANT SELECT ON TABLES TO t3_analyst, t3_operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA mart GRANT SELECT ON TABLES TO t3_dashboard, t3_mailer;
