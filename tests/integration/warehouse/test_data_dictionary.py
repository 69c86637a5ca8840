"""docs/tables.md says what the database's comments say, and every table and column that analysts may read has one."""

import pytest
import sqlalchemy as sa

from t3lib.settings import ROOT
from t3lib.warehouse.checks import data_dictionary
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS


@pytest.fixture
def granted(db: sa.Connection) -> sa.Connection:
    """The newest schemas with every role's rights."""
    roles.ensure(db, PASSWORDS)
    return db


def test_the_page_is_made_from_the_database(granted):
    page = ROOT / "docs" / "tables.md"
    assert page.read_text() == data_dictionary.markdown(granted), "run: t3 db tables > docs/tables.md"


def test_everything_that_analysts_may_read_has_a_comment(granted):
    found = data_dictionary.described(granted)
    assert {"mart.sales_hourly", "core.sale", "ops.source_file"} < {table.full_name for table in found}
    assert [table.full_name for table in found if not table.about.endswith(".")] == []
    silent = [f"{table.full_name}.{column.name}" for table in found for column in table.columns if not column.about]
    assert silent == []


def test_what_analysts_may_not_read_is_left_out(granted):
    found = {table.full_name: [column.name for column in table.columns] for table in data_dictionary.described(granted)}
    assert found.keys().isdisjoint({"mart.mail", "ops.visitor_key", "ops.dimension_lock"})
    assert "message" not in found["ops.mail_outbox"]
    assert "subject" in found["ops.mail_outbox"]


def test_months_of_sales_are_told_once(granted):
    granted.execute(sa.text("SELECT core.ensure_month('2026-11-05')"))
    named = [table.name for table in data_dictionary.described(granted) if table.name.startswith("sale_")]
    assert named == []
