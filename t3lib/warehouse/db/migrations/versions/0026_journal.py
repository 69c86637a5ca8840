"""A dish may state its rate of VAT; exported journals are kept, so that an exported day stays as it was."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"

_BACK = """
    DROP VIEW mart.journal_line;
    DROP VIEW mart.journal;
    DROP TABLE ops.journal_line;
    DROP TABLE ops.journal;
    DROP FUNCTION ops.assert_journal_balances();
    DELETE FROM ops.lock WHERE name = 'journal';
    DROP VIEW core.menu_price;
    {menu_price}
    ALTER TABLE core.menu_item DROP COLUMN vat_pct;
"""


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(script)


def downgrade() -> None:
    before = Path(__file__).with_name("0021_dated.sql").read_text(encoding="utf-8")
    view = "CREATE VIEW core.menu_price" + before.split("CREATE VIEW core.menu_price", 1)[1].split(";", 1)[0] + ";"
    said = [line for line in before.splitlines() if line.startswith("COMMENT") and "core.menu_price" in line]
    back = _BACK.format(menu_price="\n".join([view, *said]))
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(back)
