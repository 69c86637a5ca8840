"""The rejected rows of a day as a rollup instead of a view."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

_VIEW = """
    CREATE VIEW mart.rejected_daily AS
    SELECT rejected_row.truck_id, coalesce(rejected_row.business_date, source_file.batch_date) AS business_date,
           rejected_row.reason, count(*) AS rows
    FROM ops.rejected_row
    JOIN ops.source_file USING (file_id)
    WHERE rejected_row.status IN ('open', 'dismissed')
    GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("DROP FUNCTION ops.note_rejected CASCADE; DROP TABLE ops.rejected_delta, mart.rejected_daily")
    op.execute("DROP FUNCTION ops.fold_rejected")
    op.execute(_VIEW)
