"""Restatement, repairs and lineage: what changed, who decided it, and the way from a figure to its rows."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("What people decided is not thrown away: restore a backup instead.")
