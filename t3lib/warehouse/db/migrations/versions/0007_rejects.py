"""Rejected rows ask for their file once a statement."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("DROP FUNCTION ops.require_file CASCADE")
    op.execute("ALTER TABLE ops.rejected_row ADD FOREIGN KEY (file_id) REFERENCES ops.source_file")
