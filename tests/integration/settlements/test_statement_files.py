"""Files under settlements/ are files like every other: versions, refusals, holds, and rows that reconcile."""

from datetime import date

import pytest
import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.warehouse.db.connection import migrate
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.settlements import proof as stored
from tests.integration.settlements.statements import (
    BANK,
    NOVEMBER,
    STARLING,
    STRIPE,
    booked,
    charge,
    ofx,
    sell_and_pay,
)
from tests.support.feeding import assert_reconciles, at, put, rows, states, take_in

LEDGER = "SELECT rows_read, rows_loaded, rows_rejected, pence_loaded, state FROM ops.source_file WHERE key = :key "
COUNTED = "SELECT count(*), coalesce(sum(net_pence), 0)::bigint FROM core.settlement WHERE counts"


def proof() -> list[tuple]:
    """(tender, state, pence) of everything."""
    return rows(
        "SELECT tender, state, cause, sum(pence)::bigint FROM mart.settled_daily GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )


def test_card_sales_are_followed_to_the_bank_line(bucket):
    sell_and_pay(bucket)
    take_in()
    assert proof() == [("card", "settled", "paid", 10000)]
    assert rows("SELECT gross_pence, fee_pence, amount_pence, banked_pence, state FROM mart.payout") == [
        (10000, 200, 9800, 9800, "settled")]  # fmt: skip
    assert rows(LEDGER, key=NOVEMBER) == [(2, 2, 0, 9800, "loaded")]
    assert rows("SELECT line_kind, text FROM core.bank_line ORDER BY row_number") == [
        ("payout", "STRIPE FASTER PAYMENT"), ("other", "")]  # fmt: skip
    assert_reconciles()


def test_a_new_version_replaces_the_lines_of_the_one_before(bucket):
    sell_and_pay(bucket)
    take_in()
    put(bucket, BANK, booked(5, "90.00", text="po_first"), header=STARLING)
    take_in()
    assert proof() == [("card", "settled", "paid", 9200), ("card", "short", "paid_less", 800)]
    assert rows("SELECT state FROM ops.source_file WHERE key = :key ORDER BY version", key=BANK) == [
        ("superseded",), ("loaded",)]  # fmt: skip
    assert rows("SELECT count(*) FROM core.bank_line") == [(1,)]
    assert_reconciles()


def test_a_faulty_line_refuses_the_file_and_the_version_before_stays_in_force(bucket):
    sell_and_pay(bucket)
    take_in()
    put(bucket, NOVEMBER, charge(1, "60.00", "1.20", "58.00"), header=STRIPE)
    take_in()
    said = rows(
        "SELECT state, reason FROM ops.source_file WHERE key = :key ORDER BY version DESC LIMIT 1", key=NOVEMBER
    )
    assert said == [("unreadable", "Line 2: '58.00' in column net (gross less fee is 58.80, not 58.00); nothing is "
                                   "loaded.")]  # fmt: skip
    assert proof() == [("card", "settled", "paid", 10000)]


def test_a_file_that_fits_no_layout_is_held_and_released_once_it_has_one(bucket):
    put(bucket, "settlements/other/a.csv", "1,2", header="when,how much")
    take_in()
    assert states() == {"settlements/other/a.csv": "held_layout"}
    quarantine.release("settlements/other/a.csv", actor="Pat", why="Its layout is there now")
    take_in()
    assert states() == {"settlements/other/a.csv": "held_layout"}  # it is not
    put(bucket, "settlements/other/a.csv", charge(1, "60.00", "1.20", "58.80"), header=STRIPE)
    take_in()
    assert states() == {"settlements/other/a.csv": "loaded"}


def test_identical_content_under_another_key_is_held(bucket):
    sell_and_pay(bucket)
    take_in()
    put(bucket, "settlements/stripe-1/copy.csv", *(bucket / NOVEMBER).read_text().splitlines()[1:], header=STRIPE)
    take_in()
    assert states()["settlements/stripe-1/copy.csv"] == "held_duplicate"


def test_a_line_that_two_exports_share_counts_once_and_outlives_either(bucket):
    sell_and_pay(bucket)
    take_in()
    overlapping = "settlements/stripe-1/week.csv"
    put(bucket, overlapping, charge(2, "40.00", "0.80", "39.20"), charge(3, "7.00", "0.20", "6.80", day=3),
        header=STRIPE)  # fmt: skip
    take_in()
    assert rows(COUNTED) == [(3, 9800 + 680)]
    put(bucket, overlapping, charge(3, "7.00", "0.20", "6.80", day=3), header=STRIPE)
    take_in()
    assert rows(COUNTED) == [(3, 9800 + 680)]
    assert_reconciles()


def test_a_statement_in_another_format_is_held_until_a_person_releases_it(bucket):
    sell_and_pay(bucket)
    take_in()
    again = "settlements/bank/november.ofx"
    (bucket / again).write_text(ofx((5, "98.00", "STRIPE"), (27, "-842.00", "WAGES")))
    take_in()
    (held,) = rows("SELECT state, reason FROM ops.source_file WHERE key = :key", key=again)
    assert held == ("held_overlap", f"2 of its 2 lines have day and amount of lines in {BANK}: release it only if "
                                    "both are right.")  # fmt: skip
    assert proof() == [("card", "settled", "paid", 10000)]
    quarantine.release(again, actor="Ann", why="Two accounts, by chance alike")
    take_in()
    assert states()[again] == "loaded"
    assert ("card", "over", "paid_twice", 9800) in proof()
    put(bucket, BANK, booked(5, "98.00"), booked(27, "-842.00", "WAGES"), booked(28, "-1.00", "TEA"), header=STARLING)
    (bucket / again).write_text(ofx((5, "98.00", "STRIPE"), (27, "-842.00", "WAGES"), (28, "-2.00", "TEA")))
    take_in()
    assert (states()[BANK], states()[again]) == ("loaded", "loaded")  # as it was decided
    assert_reconciles()


def test_a_statement_of_other_lines_on_the_same_days_is_loaded(bucket):
    sell_and_pay(bucket)
    other = "settlements/other/november.ofx"
    put(bucket, other)
    (bucket / other).write_text(ofx((5, "98.00", "STRIPE"), (9, "7.00", "X"), (27, "-1.00", "Y")))
    take_in()
    assert states()[other] == "loaded"


def test_a_providers_export_in_another_folder_is_held(bucket):
    sell_and_pay(bucket)
    take_in()
    again = "settlements/stripe-2/november.csv"
    more = charge(3, "7.00", "0.20", "6.80", day=3)
    put(bucket, again, charge(2, "40.00", "0.80", "39.20"), charge(1, "60.00", "1.20", "58.80"), more, header=STRIPE)
    take_in()
    (held,) = rows("SELECT state, reason FROM ops.source_file WHERE key = :key", key=again)
    assert held[0] == "held_overlap"
    assert held[1].startswith(f"2 of its 3 lines have provider, id and time of lines in {NOVEMBER}")
    assert proof() == [("card", "settled", "paid", 10000)]


def test_the_database_refuses_lines_that_are_not_those_of_the_ledger(bucket):
    sell_and_pay(bucket)
    take_in()
    with pytest.raises(sa.exc.IntegrityError, match="does not reconcile"), warehouse.connect() as db:
        db.execute(sa.text("UPDATE ops.source_file SET pence_loaded = pence_loaded + 1 WHERE kind = 'settlement'"))


def test_sales_that_come_later_are_matched_when_asked_again(bucket):
    sell_and_pay(bucket)
    take_in()
    put(bucket, "trucks/2026-11/2/18/T3_T1_A1.csv", at("15:30", "card", "8", "2026-11-02"))
    take_in()
    with warehouse.connect() as db:
        assert stored.is_stale(db)
        stored.refresh(db)
    with warehouse.connect() as db:
        assert not stored.is_stale(db)
        found = metrics.proof_of_cash(db, metrics.Scope(date(2026, 11, 2), date(2026, 11, 2)))
    assert found[["state", "pence"]].values.tolist() == [["settled", 10000], ["not_explained", 800]]


def test_a_database_goes_back_to_before_settlements_and_reads_their_files_again(bucket, database):
    sell_and_pay(bucket)
    take_in()
    assert migrate("0021", database) == "0021"
    assert rows("SELECT DISTINCT kind, state FROM ops.source_file WHERE key LIKE 'settlements/%'") == [
        ("other", "ignored")]  # fmt: skip
    assert warehouse.upgrade(database) == warehouse.newest()
    take_in()
    assert proof() == [("card", "settled", "paid", 10000)]
    assert_reconciles()
