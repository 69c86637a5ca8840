"""Stays name their fee and event; costs may be per hour or shift."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"

# The version before knows no costs of these kinds, and no fees.
_BACK = """
    DELETE FROM core.cost WHERE per IN ('hour', 'shift');
    ALTER TABLE core.cost DROP CONSTRAINT cost_per_check,
        ADD CONSTRAINT cost_per_check CHECK (per IN ('day', 'month', 'sale', 'percent'));
    ALTER TABLE core.pitch DROP COLUMN stay_from, DROP COLUMN event, DROP COLUMN fee_pence, DROP COLUMN fee_per,
        DROP COLUMN fee_percent;
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_BACK)
