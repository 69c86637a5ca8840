"""The schemas and their constraints."""

import sqlalchemy as sa

from t3lib import warehouse


def test_upgrade_twice_changes_nothing(database):
    assert warehouse.upgrade(database) == warehouse.upgrade(database)


def test_months_get_their_partition(db):
    db.execute(sa.text("SELECT core.ensure_month('2026-11-05'), core.ensure_month('2026-11-30')"))
    assert db.execute(sa.text("SELECT count(*) FROM pg_inherits")).scalar() == 3  # table, key and BRIN index
