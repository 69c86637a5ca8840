"""Menus, costs and pitches hold from a business day until the next; a day's cost of goods is part of its rollup.

What stands today becomes what held on every day before, with a note that says so: nothing else is known of them."""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"

# What holds today is all that the version before knows.
_BACK = """
    DROP VIEW mart.restatement;
    CREATE VIEW mart.restatement AS
    SELECT restatement_id, made_at, cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
           keys, why
    FROM ops.restatement;
    DELETE FROM ops.restatement WHERE cause = 'applied' OR truck_id = 0;
    ALTER TABLE ops.restatement DROP COLUMN contribution_before, DROP COLUMN contribution_after,
        DROP CONSTRAINT restatement_cause_check,
        ADD CONSTRAINT restatement_cause_check CHECK (cause IN ('new_version', 'late_file', 'released', 'held', 'again',
            'metadata', 'repair', 'replay', 'undo', 'rebuild'));
    ALTER TABLE mart.price_daily DROP COLUMN goods_pence, DROP COLUMN without_goods_pence;
    DROP VIEW core.menu_price;
    ALTER TABLE core.menu_item DROP CONSTRAINT menu_item_once;
    DELETE FROM core.menu_item WHERE NOT on_menu @> now();
    ALTER TABLE core.menu_item DROP COLUMN on_menu, DROP COLUMN days, DROP COLUMN file_id, DROP COLUMN note,
        ADD PRIMARY KEY (truck_id, menu_item);
    ALTER TABLE core.cost DROP CONSTRAINT cost_once, DROP COLUMN to_date, DROP COLUMN file_id, DROP COLUMN note;
    ALTER TABLE core.pitch DROP CONSTRAINT pitch_once, DROP COLUMN file_id, DROP COLUMN note;
    ALTER TABLE ops.mail_outbox DROP COLUMN contribution_pence;
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(_BACK)
