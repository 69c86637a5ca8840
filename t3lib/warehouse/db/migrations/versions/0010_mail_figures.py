"""The figures of sent mails, corrections that wait, and the archive of the mails."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.execute("""
        DROP VIEW mart.mail;
        UPDATE ops.mail_outbox SET state = 'cancelled' WHERE state = 'waiting';
        ALTER TABLE ops.mail_outbox DROP COLUMN gross_sales_pence, DROP COLUMN transactions
    """)
