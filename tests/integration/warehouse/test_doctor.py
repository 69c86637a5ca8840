"""What `t3 doctor` finds, what --repair rebuilds, and what it leaves alone."""

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from scheduler.cli import app
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.metrics.money.margins import contributions
from t3lib.settings import settings
from t3lib.warehouse.checks import rollup_repair
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.files import audit, batches, reprocessing
from t3lib.warehouse.sales import rollups
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, take_in
from tests.support.mailbox import mailbox

OTHER = "trucks/2026-11/6/15/T3_T4_A1.csv"
ROLLUPS = {
    "mart.sales_hourly": "SELECT * FROM mart.sales_hourly ORDER BY 1, 2, 3, 4, 5",
    "mart.price_daily": "SELECT * FROM mart.price_daily ORDER BY 1, 2, 3",
    "mart.price_hourly": "SELECT * FROM mart.price_hourly ORDER BY 1, 2, 3, 4, 5, 6",
    "mart.rejected_daily": "SELECT * FROM mart.rejected_daily ORDER BY 1, 2, 3",
}
UNGUARDED = "SET LOCAL session_replication_role = replica;"  # as a broken disk or a superuser would: no trigger fires


@pytest.fixture
def two_trucks(bucket: Path) -> Path:
    """Two sales and a void of truck 3 on the 5th, one sale of truck 4 on the 6th."""
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("13:00", "cash", "7"), at("13:01", "card", "VOID"))
    put(bucket, OTHER, at("12:00", "card", "5.99", "2026-11-06"))
    take_in()
    return bucket


def spoil(statement: str) -> None:
    """Change a table behind everybody's back."""
    with warehouse.connect() as db:
        db.exec_driver_sql(UNGUARDED + statement)


def rebuild() -> list[rollup_repair.Rebuilt]:
    return rollup_repair.rebuild(contributions, actor="Ann", why="The doctor said so.")


def held() -> dict[str, list[tuple]]:
    return {table: rows(query) for table, query in ROLLUPS.items()}


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("DELETE FROM mart.sales_hourly WHERE truck_id = 3 AND local_hour = 13", ["mart.sales_hourly"]),
        ("INSERT INTO mart.sales_hourly VALUES (8, '2026-10-01', 9, 0, 'cash', 1, 100)", ["mart.sales_hourly"]),
        ("INSERT INTO mart.sales_hourly VALUES (3, '2026-11-05', 9, 0, 'cash', 0, 0)", ["mart.sales_hourly"]),
        ("UPDATE mart.sales_hourly SET total_pence = total_pence + 1", ["mart.sales_hourly"]),
        ("UPDATE mart.price_daily SET price_pence = 500 WHERE price_pence = 499", ["mart.price_daily"]),
        ("UPDATE mart.price_hourly SET location_id = 7", ["mart.price_hourly"]),
        ("DELETE FROM mart.rejected_daily", ["mart.rejected_daily"]),
        ("INSERT INTO mart.rejected_daily VALUES (3, NULL, 'void', 2)", ["mart.rejected_daily"]),
        ("TRUNCATE mart.sales_hourly, mart.price_daily, mart.price_hourly, mart.rejected_daily", list(ROLLUPS)),
    ],
)
def test_a_spoilt_rollup_is_found_and_made_anew(two_trucks: Path, statement: str, tables: list[str]):
    right, ((version,),) = held(), rows("SELECT version FROM mart.watermark")
    spoil(statement)
    with pytest.raises(AssertionError):
        assert_reconciles()
    assert [rebuilt.table for rebuilt in rebuild()] == tables
    assert held() == right
    assert_reconciles()
    assert rows("SELECT version FROM mart.watermark") == [(version + 1,)]
    assert rows("SELECT action, actor, why FROM ops.audit") == [("rebuild", "Ann", "The doctor said so.")] * len(tables)


def test_only_wrong_rows_are_written_and_the_change_is_recorded(two_trucks: Path):
    stored = "SELECT truck_id, local_hour, xmin FROM mart.sales_hourly WHERE truck_id = 4 OR local_hour = 12 ORDER BY 1"
    before = rows(stored)
    spoil("UPDATE mart.sales_hourly SET transactions = 2, total_pence = 1000 WHERE truck_id = 3 AND local_hour = 13")
    (rebuilt,) = rebuild()
    assert str(rebuilt) == ("mart.sales_hourly: a row rebuilt; truck 3 on 2026-11-05 (a row holds 2, right is 1)")
    assert rows(stored) == before
    assert rows("SELECT cause, truck_id, rows_before, rows_after, pence_before, pence_after FROM mart.restatement") == [
        ("rebuild", 3, 3, 2, 1499, 1199)
    ]


def test_nothing_to_repair_leaves_no_trace(two_trucks: Path):
    version = rows("SELECT version FROM mart.watermark")
    assert rebuild() == []
    assert rows("SELECT version FROM mart.watermark") == version
    assert rows("SELECT * FROM ops.audit") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM core.sale WHERE truck_id = 3 AND row_number = 1",
        "UPDATE core.sale SET total_pence = 399 WHERE truck_id = 3 AND row_number = 1",
        "UPDATE ops.source_file SET pence_loaded = pence_loaded - 1 WHERE truck_id = 3",
        "UPDATE ops.source_file SET state = 'superseded' WHERE truck_id = 3",
        "UPDATE ops.rejected_row SET status = 'repaired'",
    ],
)
def test_rollups_of_a_truck_whose_files_disagree_are_left_alone(two_trucks: Path, statement: str):
    spoil(statement + "; UPDATE mart.sales_hourly SET transactions = 9")
    spoilt = held(), sales(), rows("SELECT truck_id, state, pence_loaded FROM ops.source_file ORDER BY 1")
    (rebuilt,) = rebuild()
    assert [(day.truck_id, day.kept, day.made) for day in rebuilt.days] == [(4, 9, 1)]
    kept = [row for row in held()["mart.sales_hourly"] if row[0] == 3]
    assert kept == [row for row in spoilt[0]["mart.sales_hourly"] if row[0] == 3]
    assert (sales(), rows("SELECT truck_id, state, pence_loaded FROM ops.source_file ORDER BY 1")) == spoilt[1:]


def test_a_lost_sale_is_restored_as_advised(two_trucks: Path):
    right = held(), sales()
    spoil("DELETE FROM core.sale WHERE truck_id = 3 AND row_number = 1")
    with warehouse.connect() as db:
        day, size = date(2026, 11, 5), settings().batch_bytes
        batches = reprocessing.claim_days(db, day, day, actor="Ann", why="A sale is lost.", batch_bytes=size)
    assert [run(batch).files for batch in batches] == [{"restated": 1}]
    rebuild()
    assert (held(), sales()) == right
    assert_reconciles()


def test_a_wrong_count_in_the_ledger_is_healed_as_advised(two_trucks: Path):
    right = held()
    spoil("UPDATE ops.source_file SET pence_loaded = 1, rows_rejected = 0, rows_read = 2 WHERE truck_id = 3")
    quarantine.hold(LUNCH, actor="Ann", why="The ledger is wrong.")
    quarantine.release(LUNCH, actor="Ann", why="Read it again.")
    with warehouse.connect() as db:
        batches.claim(db, settings().batch_bytes)
    take_in()
    assert rebuild() == []
    assert held() == right
    assert_reconciles()


def test_a_repair_waits_for_the_load_under_way(two_trucks: Path, monkeypatch: pytest.MonkeyPatch):
    loading, go_on, really = threading.Event(), threading.Event(), rollups.raise_watermark

    def pause(cursor) -> None:
        loading.set()
        assert go_on.wait(30)
        really(cursor)

    spoil("DELETE FROM mart.sales_hourly WHERE truck_id = 3")
    put(two_trucks, LUNCH.replace("A1", "B2"), at("12:30", "card", "8"), at("12:31", "card", "VOID"))
    (batch,) = discover(Landing(), sweep=True)
    monkeypatch.setattr(rollups, "raise_watermark", pause)
    with ThreadPoolExecutor(2) as pool:
        loaded = pool.submit(run, batch)
        assert loading.wait(30)
        repaired = pool.submit(rebuild)
        assert _waits("RowShareLock", "ExclusiveLock")
        go_on.set()
        assert loaded.result().rows_loaded == 1
        assert [rebuilt.table for rebuilt in repaired.result()] == ["mart.sales_hourly"]
    assert_reconciles()


def test_a_load_waits_for_the_repair_under_way(two_trucks: Path, monkeypatch: pytest.MonkeyPatch):
    repairing, go_on, really = threading.Event(), threading.Event(), audit.write

    def pause(*arguments) -> None:
        repairing.set()
        assert go_on.wait(30)
        really(*arguments)

    spoil("DELETE FROM mart.sales_hourly WHERE truck_id = 3")
    put(two_trucks, LUNCH.replace("A1", "B2"), at("12:30", "card", "8"), at("12:31", "card", "VOID"))
    (batch,) = discover(Landing(), sweep=True)
    monkeypatch.setattr(audit, "write", pause)
    with ThreadPoolExecutor(2) as pool:
        repaired = pool.submit(rebuild)
        assert repairing.wait(30)
        loaded = pool.submit(run, batch)
        assert _waits("ExclusiveLock", "RowShareLock")
        go_on.set()
        assert [rebuilt.rows for rebuilt in repaired.result()] == [2]
        assert loaded.result().rows_loaded == 1
    assert_reconciles()


def _waits(held_mode: str, wanted_mode: str) -> bool:
    """Whether, within ten seconds, somebody waits for the lock that somebody else has."""
    query = """SELECT count(*) FROM pg_locks WHERE mode = :mode AND granted = :granted
               AND relation = 'ops.dimension_lock'::regclass
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    for _ in range(100):
        if (rows(query, mode=held_mode, granted=True), rows(query, mode=wanted_mode, granted=False)) == ([(1,)],) * 2:
            return True
        time.sleep(0.1)
    return False


def test_rejects_of_two_loads_in_opposite_order_do_not_deadlock(two_trucks: Path, database: str):
    add = """INSERT INTO ops.rejected_row (file_id, row_number, truck_id, reason, business_date)
             VALUES (1, %s, 3, %s, '2026-11-05')"""
    first, second = psycopg2.connect(database), psycopg2.connect(database)
    for connection, number, reason in ((first, 11, "zero"), (second, 21, "future"), (first, 12, "future"),
                                       (second, 22, "zero")):  # fmt: skip
        connection.cursor().execute(add, (number, reason))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda connection: connection.commit(), (first, second)))
    first.close()
    second.close()
    found = rows("SELECT reason, rows FROM mart.rejected_daily WHERE truck_id = 3 ORDER BY reason")
    assert found == [("future", 2), ("void", 1), ("zero", 2)]
    assert rows("SELECT * FROM ops.rejected_delta") == []


@pytest.fixture
def doctor(two_trucks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Iterator:
    """The command in this process, with every service there; returns (exit code, what it printed as JSON)."""
    (tmp_path / "archive").mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", (tmp_path / "archive").as_uri())
    with mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        settings.cache_clear()

        def run_it(*options: str) -> tuple[int, dict]:
            code = 0
            try:
                app(["doctor", "--json", *options], standalone_mode=False)
            except SystemExit as end:
                code = int(end.code)
            return code, json.loads(capsys.readouterr().out)

        yield run_it


def failing(said: dict) -> list[str]:
    return [check["name"] for check in said["checks"] if not check["ok"]]


def test_the_command_names_a_wrong_rollup_and_repairs_it(doctor):
    assert doctor()[0] == 0
    spoil("UPDATE mart.price_daily SET transactions = 7 WHERE truck_id = 4")
    code, said = doctor()
    assert (code, failing(said)) == (1, ["rollup_price"])
    (wrong,) = (check for check in said["checks"] if not check["ok"])
    assert "truck 4 on 2026-11-06 (a row holds 7, right is 1)" in wrong["detail"]
    assert "t3 doctor --repair" in wrong["advice"]
    code, said = doctor("--repair", "--by", "Ann")
    assert (code, failing(said)) == (0, [])
    assert [(made["table"], made["rows"]) for made in said["rebuilt"]] == [("mart.price_daily", 1)]
    assert doctor("--repair")[1]["rebuilt"] == []


def test_the_command_does_not_repair_sales_and_says_what_does(doctor):
    spoil("DELETE FROM core.sale WHERE truck_id = 3 AND row_number = 1")
    code, said = doctor("--repair")
    assert (code, said["rebuilt"]) == (1, [])
    assert failing(said) == ["files", "rollup_hourly", "rollup_price", "rollup_sold"]
    files = next(check for check in said["checks"] if check["name"] == "files")
    assert f"{LUNCH} is loaded with 2 sales, £11.99, 1 rejected; found 1, £7.00, 1" in files["detail"]
    assert "t3 ingest --reprocess" in files["advice"]
    assert sales() == [(3, 2, 700), (4, 1, 599)]


def bucket_check(said: dict) -> dict:
    return next(check for check in said["checks"] if check["name"] == "bucket")


def test_a_key_whose_loaded_version_is_not_the_buckets_is_named(doctor, two_trucks: Path):
    assert bucket_check(doctor()[1])["detail"] == "2 loaded files are what the bucket holds"
    put(two_trucks, LUNCH, at("12:00", "card", "9.99"))
    assert bucket_check(doctor()[1])["detail"] == (
        "1 loaded files are what the bucket holds; 1 have a newer version that is about to be loaded"
    )
    os.utime(two_trucks / LUNCH, (1_795_000_000, 1_795_000_000))
    code, said = doctor()
    assert (code, failing(said)) == (1, ["bucket"])
    assert f"1 are another version in the bucket: {LUNCH}" in bucket_check(said)["detail"]
    assert "t3 ingest" in bucket_check(said)["advice"]
    take_in()
    assert doctor()[0] == 0


def test_a_newer_version_that_cannot_be_loaded_and_a_deleted_file_are_reported(doctor, two_trucks: Path):
    put(two_trucks, LUNCH, header="when,what")
    (two_trucks / OTHER).unlink()
    take_in()
    code, said = doctor()
    assert code == 0
    assert bucket_check(said)["detail"] == (
        "0 loaded files are what the bucket holds; 1 left the bucket, their sales stay; "
        f"1 have a newer version that is not loaded: {LUNCH} (bad_header)"
    )
    assert "t3 files --state" in bucket_check(said)["advice"]
