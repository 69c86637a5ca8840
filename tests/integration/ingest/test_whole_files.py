"""The figures hold what the files' lines say: columns and rows that are not read are named."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t3lib import warehouse
from t3lib.ingest import rereading
from t3lib.landing import Landing
from t3lib.problems import RefusedError
from t3lib.warehouse.checks import lineage
from t3lib.warehouse.checks.lineage import Question
from t3lib.warehouse.decisions import quarantine, rejects, repairs, replays
from tests.support.feeding import HEADER, LUNCH, assert_reconciles, at, put, rows, sales, states, take_in
from tests.support.restating import Decision

OTHER = LUNCH.replace("A1", "B2")
HISTORY = "historical/TRUCK_DATA_HIST_3.parquet"
WHY: Decision = {"actor": "Ann", "why": "The till writes it of every sale."}


def put_status(bucket: Path, key: str, *rows: str) -> None:
    put(bucket, key, *rows, header=f"{HEADER},status")


def write(statement: str) -> None:
    with warehouse.connect() as db:
        db.exec_driver_sql(statement)


def test_a_row_with_too_many_cells_is_rejected_whole(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "8,70,0"), at("12:01", "card", "5.00,1"), header=f"{HEADER},tip")
    take_in()
    assert sales() == [(3, 2, 500)]
    assert rows("SELECT row_number, reason, raw_line, raw_total, business_date FROM ops.rejected_row") == [
        (1, "wrong_cells", at("12:00", "card", "8,70,0"), None, None)]  # fmt: skip
    assert_reconciles()


def test_such_a_row_is_repaired_by_what_a_person_gives_and_never_replayed(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "8,70"), "5,00")
    take_in()
    assert replays.replay(**WHY).accepted == 0
    assert rows("SELECT DISTINCT reason FROM ops.rejected_row") == [("wrong_cells",)]
    with pytest.raises(RefusedError, match="Give the total"):
        repairs.repair(1, 1, **WHY)
    with warehouse.connect() as db:
        row = rejects.show(db, 1, 1)
    assert row["raw_line"] == at("12:00", "card", "8,70")
    moment = rows("SELECT TIMESTAMPTZ '2026-11-05 12:00Z'")[0][0]
    assert repairs.repair(1, 1, pence=870, sold_at=moment, payment_type="card", **WHY)["total_pence"] == 870
    put(bucket, LUNCH, at("12:00", "card", "8,70"), at("12:30", "card", "4"))
    take_in()
    assert sales() == [(3, 1, 870), (3, 2, 400)]
    assert_reconciles()


def test_columns_that_are_not_read_are_named(bucket: Path, t3):
    put(bucket, LUNCH, at("12:00", "card", "8.70,1,1,Taco"), header=f"{HEADER},tip,till,item")
    take_in()
    assert rows("SELECT columns_not_read, state FROM mart.file") == [(["tip", "till", "item"], "loaded")]
    (listed,) = json.loads(t3("files", "--json")[1])
    assert listed["columns_not_read"] == ["tip", "till", "item"]
    assert "tip, till, item" in " ".join(t3("files")[1].split())


def test_the_operations_page_tells_columns_that_are_not_read(bucket: Path):
    from t3lib.dashboard.operations.cards import files as card
    from t3lib.dashboard.operations.choices import Choices

    put(bucket, LUNCH, at("12:00", "card", "8.70,1"), header=f"{HEADER},tip")
    take_in()
    with warehouse.connect() as db:
        assert "Not read: tip." in card.card(db, Choices(day=date(2026, 11, 5)))


def test_trace_shows_the_whole_row_as_written(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", '8.70,"Taco, hot"'), at("12:01", "card", "VOID,x"), header=f"{HEADER},item")
    take_in()
    with warehouse.connect() as db:
        found = lineage.trace(db, Question(3, date(2026, 11, 5)), Landing())
    assert [sale["text"] for sale in found["sales"]] == [at("12:00", "card", '8.70,"Taco, hot"')]
    assert [row["text"] for row in found["rejects"]] == [at("12:01", "card", "VOID,x")]
    assert found["files"][0]["columns_not_read"] == ["item"]


def test_a_status_that_says_that_rows_are_no_sales_holds_the_file(bucket: Path):
    put_status(bucket, LUNCH, at("12:00", "card", "8.70,paid"), at("12:01", "card", "5.00,refunded"),
                                     at("12:02", "cash", "12.00,VOID"))  # fmt: skip
    take_in()
    assert states() == {LUNCH: "held_columns"}
    assert sales() == []
    [(reason,)] = rows("SELECT reason FROM ops.source_file")
    assert "column status says 'refunded', 'VOID'" in reason
    quarantine.release(LUNCH, **WHY)
    take_in()
    assert states() == {LUNCH: "loaded"}
    assert [pence for _, _, pence in sales()] == [870, 500, 1200]
    assert_reconciles()


def test_a_new_version_that_is_held_leaves_the_one_before_in_force(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "8.70"))
    take_in()
    put_status(bucket, LUNCH, at("12:00", "card", "8.70,refunded"))
    take_in()
    assert sales() == [(3, 1, 870)]
    assert states() == {LUNCH: "held_columns"}
    assert_reconciles()


def test_a_release_for_the_columns_lets_no_second_copy_in(bucket: Path):
    put_status(bucket, LUNCH, at("12:00", "card", "8.70,new"))
    put_status(bucket, OTHER, at("12:00", "card", "8.70,new"))
    take_in()
    for key in (LUNCH, OTHER):
        quarantine.release(key, **WHY)
    take_in()
    assert sorted(states().values()) == ["held_duplicate", "loaded"]
    assert len(sales()) == 1


def test_a_file_taken_out_and_released_still_has_its_columns_checked(bucket: Path):
    put_status(bucket, LUNCH, at("12:00", "card", "8.70,VOID"))
    take_in()
    write("UPDATE ops.source_file SET state = 'new', batch_id = NULL, all_sales = true")
    take_in()
    assert states() == {LUNCH: "loaded"}
    write("UPDATE ops.source_file SET all_sales = false")  # as loaded before columns were checked
    quarantine.hold(LUNCH, **WHY)
    quarantine.release(LUNCH, **WHY)
    take_in()
    assert states() == {LUNCH: "held_columns"}
    assert_reconciles()


@pytest.mark.parametrize(("refunded", "state"), [([False, True], "held_columns"), ([False, False], "loaded")])
def test_a_history_files_columns_are_checked_too(bucket: Path, refunded, state):
    (bucket / "historical").mkdir()
    stamps = ["2026-11-05 12:00:00", "2026-11-05 12:01:00"]
    pq.write_table(pa.table({"timestamp": stamps, "type": ["card"] * 2, "total": ["7", "8"], "is_refunded": refunded}),
                   bucket / HISTORY)  # fmt: skip
    take_in()
    assert states() == {HISTORY: state}
    assert rows("SELECT columns_not_read FROM ops.source_file") == [(["is_refunded"],)]


@pytest.mark.slow  # it reads every file twice
def test_the_doctor_reads_files_once_more_and_finds_them_as_they_were_loaded(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "8.70"), at("12:01", "card", "VOID"), at("12:02", "card", "5,00"))
    put(bucket, OTHER, at("13:00", "card", "8.70"))
    put(bucket, "metadata/menu.csv", "3,Taco,Hot,8.70", header="truck_id,menu_item,menu_type,price")
    take_in()
    repairs.repair(rows("SELECT min(file_id) FROM ops.rejected_row")[0][0], 2, pence=400, **WHY)
    (bucket / OTHER).unlink()
    found = rereading.check(Landing())
    assert (found.ok, found.detail) == (
        True, "all 3 loaded files read again: 4 rows; 1 are no longer in the bucket",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("header", "lines", "spoil", "words"),
    [(HEADER, [at("12:00", "card", "8.70"), at("12:01", "card", "5.00")],
      "DELETE FROM core.sale WHERE row_number = 2; UPDATE ops.source_file SET rows_read = 1, rows_loaded = 1",
      "was loaded with 1 rows, its lines hold 2"),
     (f"{HEADER},tip", [at("12:00", "card", "8,70,0"), at("12:01", "card", "5.00,1")],
      """INSERT INTO core.sale (truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type,
                                total_pence)
         SELECT 3, file_id, 1, '2026-11-05 12:00Z', '2026-11-05', 12, 'card', 800 FROM ops.source_file""",
      "has 1 sales that its rows do not say"),
     (HEADER, [at("12:00", "card", "8.70")], "UPDATE core.sale SET total_pence = 871",
      "has 1 sales that its rows do not say"),
     (f"{HEADER},status", [at("12:00", "card", "8.70,paid"), at("12:01", "card", "5,paid")],
      "UPDATE ops.source_file SET etag = '{etag}'", "would not be loaded today: It has a column")],
)  # fmt: skip
def test_the_doctor_finds_rows_that_lines_do_not_say(bucket: Path, header, lines, spoil, words):
    put(bucket, LUNCH, *lines, header=header)
    take_in()
    if "{etag}" in spoil:
        put(bucket, LUNCH, lines[0], lines[1].replace("paid", "VOID"), header=header)
        [etag] = [found.etag for found in Landing().objects()]
        spoil = spoil.format(etag=etag)
    with warehouse.connect() as db:
        db.exec_driver_sql("SET LOCAL session_replication_role = replica;" + spoil)
    found = rereading.check(Landing())
    assert not found.ok
    assert words in found.detail


def test_the_doctor_draws_as_many_files_as_requested(bucket: Path, t3):
    for hour in range(5):
        put(bucket, LUNCH.replace("A1", f"A{hour}"), at("12:00", "card", f"{hour + 1}"))
    take_in()
    assert "2 of 5 loaded files" in rereading.check(Landing(), 2).detail
    printed = t3("doctor", "--files", "--json")[1]
    detail = {check["name"]: check["detail"] for check in json.loads(printed)["checks"]}
    assert detail["lines"] == "all 5 loaded files read again: 5 rows"
    assert detail["rules"] == "every loaded file was cleaned under the rules in force"
