"""Figures that change after they were shown: one transaction each, and a record of what changed."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.problems import RefusedError
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine, repairs
from t3lib.warehouse.files import batches, ledger, reprocessing
from t3lib.warehouse.sales import restated_figures
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, states, take_in
from tests.support.restating import DAY, RECORDED, SHIFTED, reprocess


def limit(monkeypatch: pytest.MonkeyPatch, pence: int) -> None:
    """Change the rule that says what is believed of a truck without menu and history."""
    monkeypatch.setenv("T3_LIMIT_PENCE", str(pence))
    settings.cache_clear()


def test_a_first_load_restates_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    assert rows(RECORDED) == []


def test_a_new_version_says_what_it_changed(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "7"))
    take_in()
    put(bucket, LUNCH, at("12:00", "card", "5.99"))
    take_in()
    assert rows(RECORDED) == [("new_version", 3, "2026-11-05", 2, 1, 1199, 599)]
    assert rows("SELECT keys FROM mart.restatement") == [([LUNCH],)]


def test_a_new_version_with_the_same_sales_restates_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    assert rows(RECORDED) == []
    assert_reconciles()


def test_a_sale_that_only_changes_its_payment_is_recorded(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, LUNCH, at("12:00", "cash", "4.99"))
    take_in()
    assert rows(RECORDED) == [("new_version", 3, "2026-11-05", 1, 1, 499, 499)]


def test_a_late_file_for_a_day_that_was_shown_is_recorded(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, SHIFTED, at("15:00", "card", "7"))
    take_in()
    assert rows(RECORDED) == [("late_file", 3, "2026-11-05", 1, 2, 499, 1199)]
    assert_reconciles()


def test_two_causes_on_one_day_follow_each_other(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, LUNCH, at("12:00", "card", "5.99"))
    put(bucket, SHIFTED, at("15:00", "card", "7"))
    take_in()
    assert rows(RECORDED) == [
        ("late_file", 3, "2026-11-05", 1, 2, 499, 1199),
        ("new_version", 3, "2026-11-05", 2, 2, 1199, 1299),
    ]
    assert rows("SELECT sum(total_pence)::bigint FROM mart.sales_hourly") == [(1299,)]


def test_a_file_of_the_trading_day_is_not_late(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    now = datetime.now(UTC) - timedelta(minutes=1)
    put(bucket, LUNCH.replace("A1", "C3"), f"{now:%Y-%m-%d %H:%M}:00+00:00,card,7")
    take_in()
    assert rows(RECORDED) == []


def test_reprocessing_without_a_change_moves_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    before = rows("SELECT version FROM mart.watermark")
    (loaded,) = reprocess()
    assert loaded.files == {"unchanged": 1}
    assert (loaded.rows_read, loaded.rows_loaded, loaded.rows_rejected, loaded.pence_loaded) == (2, 1, 1, 499)
    assert rows("SELECT version FROM mart.watermark") == before
    assert rows(RECORDED) == []


def test_a_changed_rule_restates_the_requested_days(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"), at("12:02", "card", "101"))
    put(bucket, SHIFTED.replace("/5/", "/6/"), at("15:00", "card", "99", day="2026-11-06"))
    take_in()
    limit(monkeypatch, 50_00)
    (loaded,) = reprocess()
    assert loaded.files == {"restated": 1}
    assert rows("SELECT business_date::text, total_pence FROM core.sale ORDER BY 1, 2") == [
        ("2026-11-05", 499),
        ("2026-11-06", 9900),
    ]
    assert rows("SELECT row_number, reason FROM ops.rejected_row ORDER BY 1") == [
        (1, "above_limit"),
        (3, "above_limit"),
    ]
    assert rows(RECORDED) == [("again", 3, "2026-11-05", 2, 1, 10399, 499)]
    assert_reconciles()
    limit(monkeypatch, 200_00)
    reprocess()
    assert sales() == [(3, 1, 9900), (3, 2, 499), (3, 3, 10100), (3, 1, 9900)]
    assert rows("SELECT count(*) FROM ops.rejected_row") == [(0,)]
    assert_reconciles()


def test_a_file_is_no_evidence_for_itself_when_it_is_reprocessed(bucket: Path):
    put(bucket, LUNCH, *[at("12:00", "card", "0.50")] * 12, at("12:01", "card", "50"))
    take_in()
    assert reprocess()[0].files == {"unchanged": 1}


def test_old_rows_stay_visible_until_the_new_ones_commit(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    put(bucket, LUNCH, at("12:00", "card", "99"))
    take_in()
    limit(monkeypatch, 50_00)
    with monkeypatch.context() as broken:
        broken.setattr("t3lib.warehouse.load.reloading._finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reprocess()
    assert sales() == [(3, 1, 9900)]
    assert states() == {LUNCH: "loaded"}
    (batch_id,) = rows("SELECT batch_id FROM ops.again_file WHERE outcome IS NULL")[0]
    assert run(batch_id).files == {"restated": 1}
    assert run(batch_id).files == {}
    assert sales() == []
    assert_reconciles()


def test_a_waiting_file_is_not_claimed_twice(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        asked = [reprocessing.claim_days(db, DAY, DAY, actor="Ann", why="Twice.", batch_bytes=10**6) for _ in range(2)]
    assert [len(made) for made in asked] == [1, 0]


def test_a_version_replaced_while_it_waits_is_left_alone(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        (batch_id,) = reprocessing.claim_days(db, DAY, DAY, actor="Ann", why="Race.", batch_bytes=10**6)
    batch = pipeline.open_batch(batch_id)
    pipeline.extract_batch(batch)
    pipeline.clean_batch(batch)
    put(bucket, LUNCH, at("12:00", "card", "5.99"))
    discover(Landing(), sweep=True)
    ((newer,),) = rows("SELECT batch_id FROM ops.source_file WHERE state = 'claimed'")
    run(newer)
    assert pipeline.load_batch(batch).files == {"superseded": 1}
    assert sales() == [(3, 1, 599)]
    assert_reconciles()


def test_a_file_that_could_not_be_read_is_retried(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), header="when,how,much")
    take_in()
    assert states() == {LUNCH: "bad_header"}
    reprocess()
    assert states() == {LUNCH: "new"}
    take_in()
    assert states() == {LUNCH: "bad_header"}


def test_a_held_duplicate_that_is_released_loads(bucket: Path):
    other = LUNCH.replace("A1", "B2")
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, other, at("12:00", "card", "4.99"))
    take_in()
    quarantine.release(other, actor="Ann", why="The truck took the same twice.")
    take_in()
    assert states() == {LUNCH: "loaded", other: "loaded"}
    assert rows(RECORDED) == [("released", 3, "2026-11-05", 1, 2, 499, 998)]
    assert rows("SELECT action, subject, actor FROM ops.audit") == [("release", other, "Ann")]
    assert_reconciles()


def test_a_loaded_file_can_be_held_and_released(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    quarantine.hold(LUNCH, actor="Ann", why="A test of the till.")
    assert states() == {LUNCH: "held"}
    assert sales() == []
    assert_reconciles()
    assert take_in() == []
    quarantine.release(LUNCH, actor="Ann", why="It was no test.")
    take_in()
    assert sales() == [(3, 1, 499)]
    assert [row[0] for row in rows(RECORDED)] == ["held", "released"]
    assert_reconciles()


def test_the_restatements_of_days_and_times_are_found(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, LUNCH, at("12:00", "card", "3.99"))
    take_in()
    with warehouse.connect() as db:
        assert restated_figures.changes(db, since=datetime.now(UTC)) == []
        assert restated_figures.changes(db, last=date(2026, 11, 4)) == []
        (change,) = restated_figures.changes(db)
    assert (change.cause, change.truck_id, change.business_date) == ("new_version", 3, date(2026, 11, 5))
    assert (change.rows, change.pence, change.keys) == (0, -100, [LUNCH])


def test_what_was_recorded_cannot_be_changed_by_the_loading_role(bucket: Path):
    from t3lib.warehouse.db import roles

    with warehouse.connect() as db:
        roles.ensure(db)
        db.execute(sa.text("SET LOCAL ROLE t3_etl"))
        for table in ("ops.repair", "ops.audit", "ops.restatement"):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), db.begin_nested():
                db.execute(sa.text(f"DELETE FROM {table}"))


@pytest.mark.slow  # it loads nine batches and decides beside them
def test_everything_at_once_neither_deadlocks_nor_miscounts(bucket: Path):
    keys = [f"trucks/2026-11/5/15/T3_T{truck}_A1.csv" for truck in range(1, 7)]
    for key in keys:
        put(bucket, key, *[at("12:00", "card", "4.99")] * 20, at("12:01", "card", "VOID"), at("12:02", "cash", "7"))
    take_in()
    with warehouse.connect() as db:
        asked = reprocessing.claim_days(db, DAY, DAY, actor="Ann", why="At once.", batch_bytes=2000)
    for key in keys[:3]:
        put(bucket, key, *[at("13:00", "card", "5.99")] * 20, at("12:01", "card", "VOID"))
    with warehouse.connect() as db:
        ledger.record(db, Landing().objects())
        new = batches.claim(db, settings().batch_bytes, batch_files=1)
    put(bucket, "metadata/pitches.csv", "3,7,2026-11-05 10:00,2026-11-05 20:00", header="truck_id,location_id,from,to")
    with warehouse.connect() as db:
        ledger.record(db, Landing().objects())
        metadata = batches.claim(db, settings().batch_bytes)
    assert (len(asked) > 1, len(new), len(metadata)) == (True, 3, 1)
    with ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(run, batch) for batch in [*asked, *new, *metadata]]
        decided = [pool.submit(dismissed_or_too_late, file_id) for file_id in range(1, 7)]
        for job in [*loads, *decided]:
            job.result()
    assert states() == dict.fromkeys([*keys, "metadata/pitches.csv"], "loaded")
    ((count, pence),) = rows("SELECT count(*), sum(total_pence)::bigint FROM core.sale")
    assert (count, pence) == (3 * 21 + 3 * 20, 3 * 10680 + 3 * 11980)
    assert_reconciles()


def dismissed_or_too_late(file_id: int) -> None:
    """Dismiss the void of a file, unless its file was replaced meanwhile."""
    with contextlib.suppress(RefusedError):
        repairs.dismiss(file_id, 21, actor="Ann", why="A void.")
