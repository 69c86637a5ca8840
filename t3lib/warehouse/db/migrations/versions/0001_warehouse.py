"""The warehouse: ledger, sales, dimensions, rollups."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("DROP SCHEMA mart, core CASCADE; DROP SCHEMA ops CASCADE")
