"""Functions that nobody but their users may run, locks that only some roles may take, requests by who signed in."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_DOWN = """
    DROP TRIGGER visitor_signed ON ops.request;
    DROP FUNCTION ops.require_visitor();
    ALTER TABLE ops.request DROP CONSTRAINT request_bounds;
    DROP TABLE ops.visitor_key, ops.lease, ops.dimension_lock;
    CREATE OR REPLACE FUNCTION core.ensure_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        first pg_catalog.date := pg_catalog.date_trunc('month', month);
        name pg_catalog.text := 'sale_' || pg_catalog.to_char(first, 'YYYY_MM');
    BEGIN
        IF to_regclass('core.' || name) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('t3 partitions'));
            IF NOT EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'core'::regnamespace) THEN
                EXECUTE format('CREATE TABLE core.%I (LIKE core.sale INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
                EXECUTE format('ALTER TABLE core.sale ATTACH PARTITION core.%I FOR VALUES FROM (%L) TO (%L)',
                               name, first, (first + interval '1 month')::pg_catalog.date);
            END IF;
        END IF;
    END $$;
    DROP TABLE ops.lock;
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    """The functions stay closed: the version before runs with them as well."""
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_DOWN)
