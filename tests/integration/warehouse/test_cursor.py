"""Arrow tables through a transaction, to the database and back."""

from datetime import UTC, date, datetime

import psycopg
import pyarrow as pa
import pytest

from t3lib.warehouse.db import copy_binary
from t3lib.warehouse.db.cursor import transaction

AT = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
BEFORE_2000 = datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
COLUMNS = {
    "name": (pa.string(), ["card", "£5 🌮", None, ""]),
    "names": (pa.list_(pa.string()), [["a", "b"], [], None, ["ä"]]),
    "small": (pa.int16(), [-1, 2, None, 32767]),
    "number": (pa.int32(), [-(2**31), 0, None, 2**31 - 1]),
    "large": (pa.int64(), [-(2**63), 0, None, 2**63 - 1]),
    "is_so": (pa.bool_(), [True, False, None, True]),
    "day": (pa.date32(), [date(1999, 12, 31), date(2000, 1, 1), None, date(2026, 11, 5)]),
    "at": (pa.timestamp("us", "UTC"), [BEFORE_2000, AT, None, AT]),
}
ROWS = pa.table({name: pa.array(values, kind) for name, (kind, values) in COLUMNS.items()})
SALES = ROWS.drop_columns(["names", "name"]).take(pa.array([0, 1, 3])).append_column(
    "kind", pa.array(["card", "cash", "card"])
)  # fmt: skip


@pytest.fixture
def cursor(database):
    with transaction(database) as cursor:
        yield cursor


@pytest.mark.parametrize("rows", [SALES, SALES.slice(0, 0)], ids=["of one width", "none"])
def test_rows_come_back_as_they_went_in(cursor, rows):
    cursor.temporary_table("kept", rows)
    assert cursor.copy_out("SELECT * FROM kept", [], rows.schema).equals(rows)


def test_values_of_any_width_and_absent_ones_are_stored_as_the_server_understands_them(cursor):
    cursor.temporary_table("kept", ROWS)
    cursor.execute("SELECT * FROM kept")
    assert [dict(zip(ROWS.column_names, row, strict=True)) for row in cursor.fetchall()] == ROWS.to_pylist()


def test_rows_of_one_width_are_stored_as_those_of_any_width_are(cursor):
    cursor.temporary_table("kept", SALES)
    cursor.execute("SELECT * FROM kept")
    assert [dict(zip(SALES.column_names, row, strict=True)) for row in cursor.fetchall()] == SALES.to_pylist()


def test_texts_of_other_lengths_are_read_too(cursor):
    rows = pa.table({"name": ["card", "cheque", None]})
    cursor.temporary_table("kept", rows)
    assert cursor.copy_out(
        "SELECT name FROM kept WHERE name = ANY($1)", [["cheque", "it's"]], rows.schema
    ).to_pylist() == [{"name": "cheque"}]
    assert cursor.copy_out("SELECT name FROM kept", [], rows.schema).equals(rows)


def test_more_rows_than_one_piece_holds_keep_their_order(cursor):
    rows = pa.table({"number": pa.array(range(copy_binary.ROWS_AT_ONCE + 3), pa.int32())})
    cursor.temporary_table("kept", rows)
    assert cursor.copy_out("SELECT number FROM kept", [], rows.schema).equals(rows)


def test_what_fails_leaves_nothing(database):
    with pytest.raises(psycopg.errors.UndefinedTable), transaction(database) as cursor:
        cursor.execute("CREATE TABLE core.left_over (); SELECT * FROM core.no_such_table")
    with transaction(database) as cursor:
        cursor.execute("SELECT to_regclass('core.left_over')")
        assert cursor.fetchall() == [(None,)]


def test_what_may_pass_by_itself_is_one_kind_of_error(database):
    error = pytest.raises(psycopg.OperationalError, match="statement timeout")
    with error as raised, transaction(database) as cursor:
        cursor.execute("SET statement_timeout = 50; SELECT pg_sleep(5)")
    assert type(raised.value) is psycopg.OperationalError
