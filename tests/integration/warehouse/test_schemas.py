"""The schemas and their constraints."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.warehouse.db import roles
from t3lib.warehouse.db.connection import migrate
from tests.conftest import PASSWORDS


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


_SALES = """
    INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id)
    VALUES ('trucks/2026-11/1/12/T3_T3_a1.csv', 'e1', 9, now(), 'sales', 3);
    SELECT core.ensure_month('2026-10-01'), core.ensure_month('2026-11-01');
    INSERT INTO core.sale (truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type, total_pence,
                           flags)
    SELECT 3, 1, n, '2026-10-31 12:00+00'::timestamptz + n * interval '1 hour',
           '2026-10-31'::date + (n > 12)::int, 12, CASE WHEN n % 2 = 0 THEN 'cash' ELSE 'card' END, 400 + n, n % 4
    FROM generate_series(1, 24) AS n;
"""


def _described(db: sa.Connection) -> tuple[Sequence, ...]:
    """Every sale, what each column is, the partitions with their indexes, and who may do what with them."""
    sales = "SELECT truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type, total_pence, flags"
    columns = """
        SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default
        FROM information_schema.columns
        WHERE table_name LIKE 'sale%' ORDER BY 1, 2, 3
    """
    tables = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'sale%' ORDER BY 1, 2"
    rights = """
        SELECT grantee, table_schema, table_name, privilege_type FROM information_schema.role_table_grants
        WHERE table_name LIKE 'sale%' ORDER BY 1, 2, 3, 4
    """
    queries = (f"{sales} FROM mart.sale ORDER BY row_number", columns, tables, rights)
    return tuple(db.execute(sa.text(query)).fetchall() for query in queries)


def test_returned_versions_survive_a_downgrade_and_upgrade_of_the_ledger(database):
    file = "INSERT INTO ops.source_file (key, version, etag, size, last_modified, kind)"
    file += " VALUES ('a.csv', {}, '{}', 1, now(), 'other')"
    with warehouse.connect(database) as db:
        for version, etag in ((1, "a"), (2, "b"), (3, "a"), ("NULL", "a")):
            db.execute(sa.text(file.format(version, etag)))
    assert migrate("0011", database) == "0011"
    with warehouse.connect(database) as db:
        etags = "SELECT etag FROM ops.source_file ORDER BY file_id"
        assert db.scalars(sa.text(etags)).all() == ["a of file 1", "b", "a", "a of file 4"]
    assert warehouse.upgrade(database) == warehouse.newest()
    with warehouse.connect(database) as db:
        assert db.scalars(sa.text("SELECT version FROM ops.source_file ORDER BY file_id")).all() == [1, 2, 3, 4]


def test_sales_keep_every_value_as_their_table_grows_narrower_and_back(database):
    with warehouse.connect(database) as db:
        roles.ensure(db, PASSWORDS)
    with warehouse.connect(database) as db:
        db.execute(sa.text(_SALES))
        before = _described(db)
    assert migrate("0010", database) == "0010"
    with warehouse.connect(database) as db:
        sales, columns, *_ = _described(db)
    assert sales == before[0]
    assert len(sales) == 24
    assert {column.data_type for column in columns if column.column_name == "file_id"} == {"bigint"}
    assert warehouse.upgrade(database) == warehouse.newest()
    with warehouse.connect(database) as db:
        assert _described(db) == before
    with pytest.raises(sa.exc.IntegrityError, match="sale_2026_10_pkey"), warehouse.connect(database) as db:
        db.execute(sa.text("INSERT INTO core.sale SELECT * FROM core.sale WHERE row_number = 1"))
    with pytest.raises(sa.exc.IntegrityError, match="total_pence"), warehouse.connect(database) as db:
        db.execute(sa.text("UPDATE core.sale SET total_pence = 0 WHERE row_number = 24"))


def test_rates_of_vat_and_journals_come_and_go_with_their_migration(database):
    described = "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = {} AND attnum > 0"
    view = described.format("CAST('core.menu_price' AS regclass)")
    with warehouse.connect(database) as db:
        db.execute(sa.text("INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, vat_pct) "
                           "VALUES (1, 'Soup', 'Cold', 420, 5)"))  # fmt: skip
        before = db.execute(sa.text(view)).all()
    assert migrate("0021", database) == "0021"
    with warehouse.connect(database) as db:
        assert db.execute(sa.text(view)).all() == [row for row in before if not row[0].startswith("vat_")]
        assert db.scalar(sa.text("SELECT to_regclass('ops.journal')")) is None
    assert warehouse.upgrade(database) == warehouse.newest()
    with warehouse.connect(database) as db:
        assert db.execute(sa.text(view)).all() == before
        assert db.execute(sa.text("SELECT dish, vat_pct, vat_unstated FROM core.menu_price")).all() == [
            ("Soup", None, True)]  # fmt: skip


_UNDATED = """
    INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Mexican', 700, 150), (1, 'Soup', 'Mexican', 500, NULL);
    INSERT INTO core.cost (truck_id, cost, amount, per, from_date)
    VALUES (NULL, 'vat', 20, 'percent', '2026-01-01'), (NULL, 'VAT', 5, 'percent', '2026-07-01'),
           (1, 'wages', 4000, 'day', '2026-01-01');
    INSERT INTO mart.price_daily VALUES (1, '2026-11-05', 700, 42), (1, '2026-11-05', 500, 2), (2, '2026-11-05', 700, 1)
"""


def test_stays_of_before_have_no_fee_and_survive_a_downgrade_and_upgrade(database):
    assert migrate("0021", database) == "0021"
    stays = "SELECT location_id, from_at, to_at FROM core.pitch"
    with warehouse.connect(database) as db:
        db.execute(sa.text("INSERT INTO core.pitch VALUES (1, 4, '2026-11-05 10:00+00', '2026-11-05 20:00+00')"))
        before = db.execute(sa.text(stays)).all()
    assert warehouse.upgrade(database) == warehouse.newest()
    with warehouse.connect(database) as db:
        terms = "SELECT stay_from = from_at, event, fee_pence, fee_percent FROM core.pitch"
        assert db.execute(sa.text(terms)).all() == [(True, None, None, None)]
        db.execute(sa.text("UPDATE core.pitch SET fee_pence = 2000, fee_per = 'stay'"))
        db.execute(
            sa.text("""INSERT INTO core.cost (cost, amount, per, from_date)
                              VALUES ('wages', 1200, 'hour', '2026-01-01'), ('rent', 100, 'day', '2026-01-01')""")
        )
    assert migrate("0021", database) == "0021"
    with warehouse.connect(database) as db:
        assert db.execute(sa.text(stays)).all() == before
        assert db.scalars(sa.text("SELECT cost FROM core.cost")).all() == ["rent"]
    assert warehouse.upgrade(database) == warehouse.newest()


def test_menus_and_costs_of_before_hold_for_every_day_and_say_so(database):
    assert migrate("0018", database) == "0018"
    with warehouse.connect(database) as db:
        db.execute(sa.text(_UNDATED))
    assert warehouse.upgrade(database) == warehouse.newest()
    with warehouse.connect(database) as db:
        dishes = db.execute(sa.text("SELECT lower(days)::text, upper(days)::text, note FROM core.menu_item")).all()
        costs = db.execute(sa.text("SELECT cost, from_date::text, to_date::text FROM core.cost ORDER BY cost_id")).all()
        goods = db.execute(sa.text("SELECT goods_pence, without_goods_pence FROM mart.price_daily ORDER BY 1, 2")).all()
    assert {tuple(dish) for dish in dishes} == {
        ("1900-01-01", "3000-01-01", "Counted for every day when T3 began to keep dates; earlier menus are not known.")
    }
    assert costs == [("vat", "2026-01-01", "2026-07-01"), ("VAT", "2026-07-01", "3000-01-01"),
                     ("wages", "2026-01-01", "3000-01-01")]  # fmt: skip
    assert goods == [(0, 700), (0, 1000), (6300, 0)]
    assert migrate("0018", database) == "0018"
    with warehouse.connect(database) as db:
        dishes = db.execute(sa.text("SELECT menu_item, unit_cost_pence FROM core.menu_item ORDER BY 1")).all()
    assert dishes == [("Burrito", 150), ("Soup", None)]
