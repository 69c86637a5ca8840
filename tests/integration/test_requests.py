"""What operators ask for: kept as a row, done once by a worker, with its end in words."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from scheduler.queue import backfill, stages, workflows
from scheduler.queue import requests as full_desk
from scheduler.queue.serializer import WorkFailedError
from scheduler.worker import loop
from t3lib import mail, operator_requests, warehouse
from t3lib.dashboard.operations.cards.requests import card
from t3lib.dashboard.operations.choices import Choices
from t3lib.ingest import discovery
from t3lib.landing import Landing
from t3lib.operator_requests import rows as requests
from t3lib.operator_requests import signature, work
from t3lib.operator_requests.sentences import MODES
from t3lib.problems import RefusedError
from t3lib.warehouse.db import connection, roles
from t3lib.warehouse.decisions import repairs
from tests.conftest import PASSWORDS
from tests.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, take_in
from tests.logins import login

ANN = {"asked_by": "Ann", "why": "The till lost its point."}
ROW = {"file": 2, "row": 2}
MENU = "truck_id,menu_item,menu_type,price"


@pytest.fixture
def shifted(bucket: Path) -> Path:
    """A truck that sells at 4.99 by its menu (file 1); of file 2, row 1 is a sale, row 2 is 499, row 3 is VOID."""
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header=MENU)
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"), at("12:02", "cash", "VOID"))
    take_in()
    return bucket


def ask(kind: str, **parameters) -> int:
    with warehouse.connect() as db:
        return operator_requests.ask(db, kind, parameters, **ANN)


def done(kind: str, **parameters) -> tuple[str, str]:
    """Ask and have it done: how it ended."""
    request_id = ask(kind, **parameters)
    assert operator_requests.carry_out() == 1
    return ended(request_id)


def ended(request_id: int) -> tuple[str, str]:
    ((state, outcome),) = rows("SELECT state, outcome FROM ops.request WHERE request_id = :id", id=request_id)
    return state, outcome


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


def test_open_rejects_are_judged_again_after_the_menu_changed(shifted: Path):
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE core.menu_item SET price_pence = 49900"))
    state, outcome = done("replay", reason="decimal_shift", first="2026-11-05", last="2026-11-05")
    assert (state, outcome) == ("done", "1 open rejects validated: 1 are sales now, £499.00.")
    assert sales() == [(3, 1, 499), (3, 2, 49900)]
    assert_reconciles()


def test_days_are_cleaned_again(shifted: Path):
    assert done("reclean", first="2026-11-05", last="2026-11-05") == ("done", "Queued: 1 batch to clean again.")
    (batch,) = rows("SELECT batch_id FROM ops.batch WHERE state = 'open' AND cause = 'again' AND actor = 'Ann'")
    run(*batch)
    assert rows("SELECT outcome FROM ops.again_file") == [("unchanged",)]
    assert_reconciles()


def test_a_mail_is_queued_again_once(database: str):
    with warehouse.connect() as db:
        message = EmailMessage()
        message["Subject"] = "Sales"
        key = {"report": "daily", "business_date": date(2026, 11, 5), "edition": "cfo"}
        number = mail.prepare(db, message, "hiram@t3.example", **key)
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
    assert full_desk.carry_out() == 1
    assert ended(request_id) == ("done", "Queued: attempt 2.")
    run(batch)
    assert sales() == [(3, 1, 499)]
    again = ask("rerun", batch=batch)
    full_desk.carry_out()
    assert ended(again)[0] == "failed"
    assert_reconciles()


def test_a_backfill_and_a_report_are_queued_through_a_working_worker(bucket: Path, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    told = []
    monkeypatch.setattr(stages, "run_stage", lambda batch, stage, **_: stage == "3_load" and run(batch))
    monkeypatch.setattr(stages, "run_report", lambda day, edition, **_: told.append((day, edition)) or 1 / 0)
    days = {"first": "2026-11-05", "last": "2026-11-06"}
    with workflows.working():
        asked = [ask("backfill", **days, mode="missing"), ask("rerun", day="2026-11-05", edition="cfo")]
        assert full_desk.carry_out() == 2
        assert [ended(number) for number in asked] == [
            ("done", "Queued: 1 files to load."),
            ("done", "Queued: its mails leave when it is made."),
        ]
        for (workflow,) in rows("SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'ingest'"):
            workflows.wait(workflow)
        with pytest.raises(WorkFailedError, match="ZeroDivisionError: division by zero"):
            workflows.wait(f"report:daily:2026-11-05:cfo:request-{asked[1]}")
        assert full_desk.carry_out() == 0
        again = ask("backfill", **days, mode="missing")
        full_desk.carry_out()
        assert ended(again) == ("done", "Nothing to catch up on.")
    assert told == [("2026-11-05", "cfo")]
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


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("explode", {}, "no request 'explode'"),
        ("repair", {"file": 1}, "Row is missing"),
        ("repair", ROW | {"total": "a fiver"}, "Write it like 4.99"),
        ("repair", ROW | {"at": "noon"}, "not a time"),
        ("repair", ROW | {"payment": "shell"}, "choose one of"),
        ("repair", ROW | {"accept": "yes"}, "say yes or no"),
        ("dismiss", {"file": "1; DROP TABLE ops.request", "row": 1}, "not a number"),
        ("hold", {"key": "a\x00b"}, "not readable"),
        ("rerun", {"batch": "b", "day": "2026-11-05", "edition": "cfo"}, "Name the batch, or"),
        ("backfill", {"first": "2026-11-05", "last": "2026-11-04", "mode": "all"}, "after the last"),
        ("backfill", {"first": "2020-01-01", "last": "2026-11-04", "mode": "all"}, "more than 400 days"),
        ("hold", {"key": "a", "state": "done"}, "no field 'state'"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_is_asked(kind: str, parameters: dict, words: str):
    with pytest.raises(RefusedError, match=words):
        requests.checked(kind, parameters, "Ann", "Because.")


def test_the_page_offers_the_modes_of_a_backfill():
    assert tuple(MODES) == backfill.MODES


def test_a_worker_carries_out_what_was_asked_within_two_seconds(shifted: Path):
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


@pytest.mark.parametrize(("name", "why"), [("", "x"), ("  ", "x"), ("Ann", " "), ("A" * 81, "x"), ("Ann", "x" * 501)])
def test_a_request_needs_a_name_and_a_reason(name: str, why: str):
    with pytest.raises(RefusedError):
        requests.checked("dismiss", ROW, name, why)


def test_a_row_that_no_page_wrote_is_refused_by_the_worker(database: str):
    with warehouse.connect() as db:
        for kind, parameters in (("hold", "{}"), ("explode", "{}"), ("backfill", '{"first": "2026-11-05"}')):
            db.execute(sa.text("INSERT INTO ops.request (kind, parameters, asked_by, why) "
                               "VALUES (:kind, CAST(:parameters AS jsonb), 'Eve', 'x')"),
                       {"kind": kind, "parameters": parameters})  # fmt: skip
    assert full_desk.carry_out() == 3
    assert rows("SELECT DISTINCT state FROM ops.request") == [("failed",)]
    with warehouse.connect() as db:
        assert [request.words for request in operator_requests.newest(db)] == [
            "Catch up on past days",
            "explode",
            "Hold a file",
        ]


@pytest.mark.parametrize("kind", operator_requests.KINDS)
def test_reading_a_request_again_gives_the_same(kind: str):
    given = {
        "repair": ROW | {"total": " £1,234.5 ", "at": "2026-11-05 12:30", "payment": "card", "force": True},
        "replay": {"reason": "zero", "truck": "3", "first": "2026-11-05", "last": date(2026, 11, 6)},
        "hold": {"key": LUNCH},
        "release": {"key": LUNCH},
        "resend": {"mail": "7"},
        "rerun": {"day": date(2026, 11, 5), "edition": "cfo"},
        "backfill": {"first": date(2026, 11, 5), "last": date(2026, 11, 5), "mode": "all", "reports": False},
        "reclean": {"first": date(2026, 11, 5), "last": date(2026, 11, 5) + timedelta(days=1)},
    }.get(kind, ROW)
    once = operator_requests.KINDS[kind].checked(given)
    assert operator_requests.KINDS[kind].checked(once) == once
    assert operator_requests.KINDS[kind].words(once)


DEEP = "[" * 3000 + "]" * 3000
ODD = [
    ("repair", '{"file": "x", "row": [1]}'),
    ("repair", '{"file": 1e400, "row": {}}'),
    ("repair", '{"file": 99999999999999999999999, "row": 1}'),
    ("repair", f'{{"file": {"9" * 6000}, "row": 1}}'),
    ("hold", '{"key": ["a"]}'),
    ("hold", '{"key": null, "day": {"a": 1}, "truck": [], "first": 5, "last": false}'),
    ("hold", f'{{"key": {DEEP}}}'),
    ("hold", f'{{"key": "{"k" * 7000}"}}'),
    ("replay", '{"reason": {"a": 1}, "truck": -1}'),
    ("replay", '{"truck": "1\\n2", "first": "0001-01-01"}'),
    ("repair", '{"file": 1, "row": 1, "at": "0001-01-01T00:00", "payment": ["card"]}'),
    ("repair", f'{{"file": 1, "row": 1, "total": "{"9" * 5000}"}}'),
    ("backfill", '{"first": "2026-11-05", "last": "2026-11-05", "mode": ["all"]}'),
    ("rerun", '{"batch": true, "edition": 7}'),
    ("resend", '{"mail": 1.5}'),
    ("<script>", '{"a": "<script>"}'),
    ("\u202e\u0007", "{}"),
]


def test_no_row_of_an_operator_stops_the_desk_or_the_card(shifted: Path, database: str):
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
        signed = signature.statement(signature.key(db), "")
    engine = sa.create_engine(connection.psycopg2_url(login(database, "operator")), poolclass=sa.NullPool)
    insert = "INSERT INTO ops.request (kind, parameters, asked_by, why) VALUES (:kind, CAST(:given AS jsonb), :by, :by)"
    for kind, given in ODD:
        with engine.begin() as db:
            signature.sign(db, signed)
            db.execute(sa.text(insert), {"kind": kind, "given": given, "by": "\x07E\u202eve<b>"})
    last = ask("repair", **ROW, accept=True)
    with engine.connect() as db:
        for choices in (Choices(), Choices(day=date(2026, 11, 5)), Choices(truck=3)):
            shown = card(db, choices)
            assert "could not be read" not in shown
            assert len(shown) < 60_000
    assert full_desk.carry_out() == len(ODD) + 1
    assert ended(last)[0] == "done"
    for state, outcome in rows("SELECT state, outcome FROM ops.request WHERE request_id <> :last", last=last):
        assert (state, "log says more" in outcome, len(outcome) <= 1000) == ("failed", False, True), outcome
    with engine.connect() as db:
        assert "Requests of operators" in card(db, Choices())


@pytest.mark.parametrize(
    ("kind", "given"),
    [("k" * 41, "{}"), ("", "{}"), ("hold", f'{{"key": "{"k" * 8000}"}}'), ("hold", "[]"), ("hold", '"x"')],
)
def test_the_database_bounds_what_a_request_may_hold(database: str, kind: str, given: str):
    asked = {"kind": kind, "given": given}
    with pytest.raises(sa.exc.IntegrityError), warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO ops.request (kind, parameters, asked_by, why) "
                           "VALUES (:kind, CAST(:given AS jsonb), 'Eve', 'x')"), asked)  # fmt: skip


def test_requests_that_nobody_carries_out_end_somewhere(shifted: Path, database: str):
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
        signed = signature.statement(signature.key(db), "Eve")
        db.execute(sa.text("INSERT INTO ops.request (kind, asked_by, why) SELECT 'hold', 'Eve', 'x' "
                           "FROM generate_series(1, 1000)"))  # fmt: skip
    engine = sa.create_engine(connection.psycopg2_url(login(database, "operator")), poolclass=sa.NullPool)
    with pytest.raises(sa.exc.DBAPIError, match="1,000 requests wait"), engine.begin() as db:
        operator_requests.ask(db, "dismiss", ROW, asked_by="Eve", why="x", visitor=signed)
