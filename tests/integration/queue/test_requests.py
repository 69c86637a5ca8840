"""What operators ask for: kept as a row, done once by a worker, with its end in words."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.queue import backfill, stages, workflows
from scheduler.queue import requests as all_requests
from scheduler.queue.serializer import WorkFailedError
from scheduler.worker import loop
from t3lib import mail, operator_requests, warehouse
from t3lib.ingest import discovery
from t3lib.landing import Landing
from t3lib.operator_requests import work
from t3lib.operator_requests.sentences import MODES
from t3lib.warehouse.decisions import repairs
from tests.integration.queue.requesting import ANN, ROW, ask, done, ended
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, take_in
from tests.support.restating import MENU_CSV, THURSDAY, restated, sell, upload

pytestmark = pytest.mark.slow  # it waits for workers


def test_an_accepted_suggestion_becomes_a_sale_with_who_and_why(shifted: Path):
    request_id = ask("repair", **ROW, accept=True)
    assert rows("SELECT state, asked_by, started_at FROM ops.request") == [("waiting", "Ann", None)]
    assert sales() == [(3, 1, 499)]
    assert operator_requests.carry_out() == 1
    assert ended(request_id) == ("done", "£4.99 by card at truck 3 is a sale now.")
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert rows("SELECT action, actor, why FROM ops.repair") == [("repair", "Ann", "The till lost its point.")]
    assert_reconciles()


def test_a_row_is_repaired_with_a_typed_total_taken_back_and_dismissed(shifted: Path):
    assert done("repair", **ROW, total="£7.50", accept=True)[0] == "done"
    assert sales() == [(3, 1, 499), (3, 2, 750)]
    assert done("undo", **ROW) == ("done", "Taken back: repair.")
    assert sales() == [(3, 1, 499)]
    assert done("dismiss", **ROW) == ("done", "Dismissed.")
    assert rows("SELECT status FROM ops.rejected_row ORDER BY row_number") == [("dismissed",), ("open",)]
    assert_reconciles()


def test_what_cannot_be_done_says_why_in_words_for_a_page(shifted: Path):
    state, outcome = done("repair", **ROW, total="499")
    assert (state, outcome.endswith("If it is right all the same, say so.")) == ("failed", True)
    state, outcome = done("hold", key="trucks/none.csv")
    assert (state, outcome.startswith("No file trucks/none.csv is in the ledger")) == ("failed", True)
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_a_file_is_held_and_released(shifted: Path):
    assert done("hold", key=LUNCH)[0] == "done"
    assert sales() == []
    assert_reconciles()
    assert done("release", key=LUNCH)[0] == "done"
    take_in()
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_open_rejects_are_validated_again_after_the_menu_changed(shifted: Path):
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE core.menu_item SET price_pence = 49900"))
    state, outcome = done("replay", reason="decimal_shift", first="2026-11-05", last="2026-11-05")
    assert (state, outcome) == ("done", "1 open rejects validated: 1 are sales now, £499.00.")
    assert sales() == [(3, 1, 499), (3, 2, 49900)]
    assert_reconciles()


def test_days_are_reprocessed(shifted: Path):
    assert done("reclean", first="2026-11-05", last="2026-11-05") == ("done", "Queued: 1 batch to reprocess.")
    (batch,) = rows("SELECT batch_id FROM ops.batch WHERE state = 'open' AND cause = 'again' AND actor = 'Ann'")
    run(*batch)
    assert rows("SELECT outcome FROM ops.again_file") == [("unchanged",)]
    assert_reconciles()


def test_a_mail_is_queued_again_once(database: str):
    with warehouse.connect() as db:
        message = EmailMessage()
        message["Subject"] = "Sales"
        number = mail.prepare(
            db, message, "hiram@t3.example", report="daily", business_date=date(2026, 11, 5), edition="cfo"
        )
    assert done("resend", mail=number) == ("failed", "Mail 1 is prepared: only a finished mail can be sent again.")
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE ops.mail_outbox SET state = 'unknown'"))
    assert done("resend", mail=number) == ("done", "Queued once more to hiram@t3.example.")
    assert rows("SELECT state FROM ops.mail_outbox") == [("prepared",)]


def test_a_failed_batch_gets_another_attempt_and_is_loaded(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    discovery.discover(Landing(), sweep=True)
    ((batch,),) = rows("SELECT batch_id FROM ops.batch")
    stages.fail_batch(batch, "The disk is full.")
    request_id = ask("rerun", batch=batch)
    assert all_requests.carry_out() == 1
    assert ended(request_id) == ("done", "Queued: attempt 2.")
    run(batch)
    assert sales() == [(3, 1, 499)]
    again = ask("rerun", batch=batch)
    all_requests.carry_out()
    assert ended(again)[0] == "failed"
    assert_reconciles()


def test_a_backfill_and_a_report_are_queued_through_a_working_worker(bucket: Path, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    requested: list[tuple[str, str]] = []

    def run_report(day: str, edition: str, **_: object) -> None:
        requested.append((day, edition))
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(stages, "run_stage", lambda batch, stage, **_: stage == "3_load" and run(batch))
    monkeypatch.setattr(stages, "run_report", run_report)
    days = {"first": "2026-11-05", "last": "2026-11-06"}
    with workflows.working():
        asked = [ask("backfill", **days, mode="missing"), ask("rerun", day="2026-11-05", edition="cfo")]
        assert all_requests.carry_out() == 2
        assert [ended(number) for number in asked] == [
            ("done", "Queued: 1 files to load."),
            ("done", "Queued: its mails are sent once it is made."),
        ]
        for (workflow,) in rows("SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'ingest'"):
            workflows.wait(workflow)
        with pytest.raises(WorkFailedError, match="ZeroDivisionError: division by zero"):
            workflows.wait(f"report:daily:2026-11-05:cfo:request-{asked[1]}")
        assert all_requests.carry_out() == 0
        again = ask("backfill", **days, mode="missing")
        all_requests.carry_out()
        assert ended(again) == ("done", "Nothing to catch up on.")
    assert requested == [("2026-11-05", "cfo")]
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_requests_are_done_once_and_in_their_order_however_many_workers_there_are(shifted: Path):
    asked = [ask("repair", **ROW, accept=True), ask("undo", **ROW), ask("repair", **ROW, total="5.00")]
    start = threading.Barrier(4)

    def one(_: int) -> int:
        start.wait()
        return operator_requests.carry_out()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 3
    assert [ended(number)[0] for number in asked] == ["done"] * 3
    assert rows("SELECT action, total_pence FROM ops.repair ORDER BY repair_id") == [
        ("repair", 499), ("undo", 499), ("repair", 500),
    ]  # fmt: skip
    assert_reconciles()


def test_a_request_whose_worker_died_after_the_work_is_not_done_twice(shifted: Path):
    request_id = ask("repair", **ROW, accept=True)
    work._begin()
    repairs.repair(2, 2, accept=True, actor="Ann", why=ANN["why"])  # and here the worker is killed
    assert operator_requests.carry_out() == 1
    state, outcome = ended(request_id)
    assert (state, "died before it could record that" in outcome) == ("done", True)
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert_reconciles()


def test_a_request_whose_worker_died_before_the_work_is_done_by_the_next(shifted: Path):
    request_id = ask("repair", **ROW, accept=True)
    work._begin()
    assert operator_requests.carry_out() == 1
    assert ended(request_id)[0] == "done"
    assert_reconciles()


def test_a_request_that_ends_worker_after_worker_is_left(shifted: Path):
    request_id = ask("repair", **ROW, accept=True)
    for _ in range(3):
        work._begin()
    operator_requests.carry_out()
    state, outcome = ended(request_id)
    assert (state, "3 workers died during this request" in outcome) == ("failed", True)
    assert sales() == [(3, 1, 499)]


def test_a_defect_fails_its_request_only(database: str):
    numbers = [ask("backfill", first="2026-11-05", last="2026-11-05", mode="all") for _ in range(2)]
    assert (
        operator_requests.carry_out(
            operator_requests.ACTIONS | {"backfill": lambda db, request: db.execute(sa.text("SELECT 1 / 0"))}
        )
        == 2
    )
    assert {ended(number) for number in numbers} == {
        ("failed", "This could not be done (DataError); the worker's log says more.")
    }


def test_the_page_offers_the_modes_of_a_backfill():
    assert tuple(MODES) == backfill.MODES


def test_a_worker_carries_out_a_request_within_two_seconds(shifted: Path):
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(loop.work, stop)
        first = ask("repair", **ROW, accept=True)
        _until(lambda: ended(first)[0] == "done", 60)
        second = ask("undo", **ROW)
        _until(lambda: ended(second)[0] == "done", 5)
        stop.set()
        working.result()
    ((seconds,),) = rows("SELECT extract(epoch FROM finished_at - asked_at) FROM ops.request WHERE kind = 'undo'")
    assert seconds < 3
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def _until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def test_todays_menu_is_applied_to_the_past(bucket: Path):
    upload(bucket, MENU_CSV, "3,Burrito,Mexican,4.99,1", when="2026-11-01 08:00")
    sell(bucket, THURSDAY, "4.99", truck=3)
    upload(bucket, MENU_CSV, "3,Burrito,Mexican,4.99,2", when="2026-11-06 08:00")
    assert done("apply", list="menu", first="2026-11-05") == ("done", "Applied: 1 truck day was restated.")
    assert restated() == [
        ("applied", 3, "2026-11-05", 399, 299, [MENU_CSV], "Ann", rows("SELECT why FROM ops.request")[0][0])
    ]
    assert done("apply", list="menu", first="2099-01-01")[0] == "failed"
    assert_reconciles()
