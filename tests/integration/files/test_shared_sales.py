"""`t3 doctor` finds loaded files of a truck that share most sales, also those loaded before spellings were one key."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.checks.reconciliation import Check
from t3lib.warehouse.db.connection import migrate
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.files import held_duplicates
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, states, take_in

OTHER = LUNCH.replace("A1", "B2")
PADDED = "trucks/2026-11/05/15/T3_T03_A1.csv"
MEALS = [at("12:00", "card", "4.99"), at("12:07", "cash", "5.99"), at("12:15", "card", "8.70")]
LATER = [at("13:31", "card", "4.99"), at("13:40", "cash", "7"), at("14:02", "card", "5.99")]


def pairs() -> Check:
    with warehouse.connect() as db:
        return next(check for check in reconciliation.checks(db) if check.name == "pairs")


@pytest.fixture
def doubled(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that share most sales, both loaded, as they were before files were compared."""
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, *MEALS, *LATER)
    put(bucket, LUNCH.replace("/15/", "/18/"), at("16:00", "card", "4.99"))
    with monkeypatch.context() as before:
        before.setattr(held_duplicates.DuplicateSearch, "hold", lambda *_: None)
        take_in()
    assert set(states().values()) == {"loaded"}


def test_files_that_share_most_sales_are_named_with_what_to_do(doubled: None):
    found = pairs()
    assert not found.ok
    assert found.detail.startswith("1 pair of loaded files of a truck shares most sales: ")
    assert LUNCH in found.detail
    assert f"{OTHER} (3 common)" in found.detail or f"{LUNCH} (3 common)" in found.detail
    assert "t3 files hold" in found.advice


def test_a_pair_of_which_a_person_released_one_is_distinguished(doubled: None):
    quarantine.hold(OTHER, actor="Ann", why="Looks like a copy.")
    assert pairs().ok
    for _ in ("its own hold", "what is asked then"):
        quarantine.release(OTHER, actor="Ann", why="Two tills, same sales.")
        take_in()
    found = pairs()
    assert found.ok
    assert found.detail.endswith("; 1 more, of which a person released one, stay as decided")
    assert_reconciles()


def test_honest_files_are_no_pair(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, MEALS[0], *LATER)
    take_in()
    assert pairs().detail == "0 pairs of loaded files of a truck share most sales"


def test_files_loaded_before_are_known_after_the_upgrade_and_go_back(bucket: Path, database: str):
    refused = [at("12:00", "card", "VOID"), "not set,card,4.99", at("12:30", "voucher", "4.99")]
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, *refused)
    take_in()
    digests = rows("SELECT file_id, rejects_digest FROM ops.source_file ORDER BY file_id")
    assert sum(digest is not None for _, digest in digests) == 1
    assert migrate("0011", database) == "0011"
    with warehouse.connect() as db:  # a second spelling, as two were loaded then
        twin = """
            INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, state, rows_read, rows_loaded,
                                         pence_loaded, first_sale_at, last_sale_at)
            SELECT :key, etag || '2', size, last_modified + interval '1 hour', kind, truck_id, state, rows_read,
                   rows_loaded, pence_loaded, first_sale_at, last_sale_at
            FROM ops.source_file WHERE key = :of RETURNING file_id
        """
        number = db.scalar(sa.text(twin), {"key": PADDED, "of": LUNCH})
        copied = """
            INSERT INTO core.sale (truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type,
                                   total_pence, flags)
            SELECT truck_id, :file, row_number, sold_at, business_date, local_hour, payment_type, total_pence, flags
            FROM core.sale
        """
        db.execute(sa.text(copied), {"file": number})
        db.execute(
            sa.text("UPDATE mart.sales_hourly SET transactions = 2 * transactions, total_pence = 2 * total_pence")
        )
        for table in ("price_daily", "price_hourly"):
            db.execute(sa.text(f"UPDATE mart.{table} SET transactions = 2 * transactions"))
    assert warehouse.upgrade(database) == warehouse.newest()
    assert (
        rows("SELECT file_id, rejects_digest FROM ops.source_file WHERE file_id < :twin ORDER BY 1", twin=number)
        == digests
    )
    assert rows("SELECT key FROM ops.source_file WHERE is_twin") == [(LUNCH,)]
    assert f"{PADDED} and {LUNCH} (3 common)" in pairs().detail
    quarantine.hold(LUNCH, actor="Ann", why="The same truck and batch.")
    assert len(sales()) == 3
    assert_reconciles()
    put(bucket, OTHER.replace("B2", "C3"), *refused[::-1])
    put(bucket, OTHER.replace("B2", "D4"), *MEALS, *LATER)
    take_in()
    assert {states()[OTHER.replace("B2", name)] for name in ("C3", "D4")} == {"held_duplicate", "held_overlap"}
    assert migrate("0011", database) == "0011"
    assert sorted(rows("SELECT DISTINCT state FROM ops.source_file")) == [("held",), ("held_duplicate",), ("loaded",)]
    assert warehouse.upgrade(database) == warehouse.newest()


def test_a_new_version_of_a_key_that_is_loaded_under_two_spellings_replaces_the_newer(bucket: Path, monkeypatch):
    put(bucket, LUNCH, *MEALS)
    take_in()
    with warehouse.connect() as db:  # as the upgrade leaves them: the older one is marked
        db.execute(sa.text("UPDATE ops.source_file SET is_twin = true"))
    put(bucket, PADDED, *MEALS, LATER[0])
    with monkeypatch.context() as before:
        before.setattr(held_duplicates.DuplicateSearch, "hold", lambda *_: None)
        take_in()
    put(bucket, PADDED, *MEALS, *LATER)
    take_in()
    assert states() == {LUNCH: "loaded", PADDED: "loaded"}
    assert rows("SELECT state FROM ops.source_file ORDER BY file_id") == [("loaded",), ("superseded",), ("loaded",)]
    assert f"{PADDED} and {LUNCH} (3 common)" in pairs().detail
    quarantine.hold(LUNCH, actor="Ann", why="The same truck and batch.")
    assert len(sales()) == 6
    assert pairs().ok
    assert_reconciles()
