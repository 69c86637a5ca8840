"""Indexes of the ledger for questions whose answer does not grow with it."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("DROP INDEX ops.source_file_last_sale, ops.source_file_heard, ops.source_file_same_content")
