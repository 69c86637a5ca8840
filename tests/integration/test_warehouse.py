"""The schemas and their constraints."""

import pytest
import sqlalchemy as sa

from t3lib import warehouse


def test_upgrade_twice_changes_nothing(database):
    assert warehouse.upgrade(database) == warehouse.upgrade(database) == warehouse.newest()


def test_months_get_their_partition(db):
    db.execute(sa.text("SELECT core.ensure_month('2026-11-05'), core.ensure_month('2026-11-30')"))
    assert db.execute(sa.text("SELECT count(*) FROM pg_inherits")).scalar() == 3  # table, key and BRIN index


def test_a_rejected_row_needs_its_file(db):
    with pytest.raises(sa.exc.IntegrityError, match="names a file that ops"):
        db.execute(
            sa.text("INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason) VALUES (77, 1, 3, 'void')")
        )
