"""A worker: bounded runs, fences, notices to the operators, what it waits for, and what an idle one leaves alone."""

import json
import os
import time
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest
import sqlalchemy as sa

from scheduler.queue import fence, stages, workflows
from scheduler.worker import health_endpoint, maintenance, readiness  # fmt: skip
from scheduler.worker.leader import Leader, Scheduler
from t3lib import warehouse
from t3lib.business_day import today
from t3lib.feed.keys import todays_prefix
from t3lib.ingest import discovery
from t3lib.landing import Landing
from t3lib.problems import ServiceError
from t3lib.settings import settings
from t3lib.warehouse.files import batches
from tests.integration.queue.queueing import put, take_in
from tests.support.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts workers

PIECES = 10_000 if "T3_FAULT_RUNS" in os.environ else 3_000  # in the long run and in the suite


def incidents():
    with warehouse.connect() as db:
        return list(db.scalars(sa.text("SELECT subject FROM ops.mail_outbox ORDER BY mail_id")))


def test_only_one_of_two_schedulers_leads_and_the_other_follows_when_it_ends(database):
    first, second = Leader(database), Leader(database)
    assert (first.lead(), second.lead(), first.lead()) == (True, False, True)
    first.close()
    until(second.lead)
    second.close()


def test_a_batch_in_which_five_workers_died_is_parked_and_notified_once_as_is_its_recovery(bucket):
    put(bucket, today())
    with workflows.working():
        discovery.discover(Landing(), sweep=True)
        batch = one("SELECT batch_id FROM ops.batch")
        for number in range(5):
            change("INSERT INTO ops.run (run_id, workflow_id, notebook, state, parameters) "
                   "VALUES (:run, :workflow, '2_clean', 'lost', jsonb_build_object('batch_id', CAST(:batch AS text)))",
                   run=f"2-{number}", workflow=f"ingest:{batch}:1", batch=batch)  # fmt: skip
        for _ in range(2):
            for workflow in workflows.enqueue_open_batches():
                with pytest.raises(Exception, match="5 workers died"):
                    workflows.wait(workflow)
        assert one("SELECT state FROM ops.batch") == "failed"
        assert incidents() == [f"T3: ingest of {batch} failed"]
        with warehouse.connect() as db:
            batches.reopen(db)
        take_in()
    assert one("SELECT state FROM ops.batch") == "done"
    assert incidents()[1:] == [f"T3: ingest of {batch} succeeded after all"]


def test_the_mail_of_an_incident_names_cell_error_copy_and_command(bucket, tmp_path):
    put(bucket, today())
    discovery.discover(Landing(), sweep=True)
    batch = one("SELECT batch_id FROM ops.batch")
    change("INSERT INTO ops.run (run_id, notebook, state, failed_cell, worker, executed_copy, parameters) "
           "VALUES ('2-x', '2_clean', 'failed', 7, 'house-1', 'runs/x.ipynb', "
           "        jsonb_build_object('batch_id', CAST(:batch AS text)))", batch=batch)  # fmt: skip
    stages.fail_batch(batch, "The disk is full.")
    text = bytes(one("SELECT message FROM ops.mail_outbox")).decode()
    for part in ("The disk is full.", "t3 ingest", "2_clean, cell In [7]", "house-1", "runs/x.ipynb"):
        assert part in text


def test_a_late_end_of_work_that_was_taken_over_is_refused(bucket):
    put(bucket, today())
    discovery.discover(Landing(), sweep=True)
    batch = one("SELECT batch_id FROM ops.batch")

    def taken_over(db):
        raise fence.RelinquishedError

    for end in (lambda: stages.finish_batch(batch, fence=taken_over),
                lambda: stages.fail_batch(batch, "late", fence=taken_over)):  # fmt: skip
        with pytest.raises(fence.RelinquishedError):
            end()
    assert one("SELECT state FROM ops.batch") == "open"
    assert incidents() == []


def test_an_idle_tick_is_one_listing_and_writes_nothing(bucket, monkeypatch):
    put(bucket, today())
    now = datetime.combine(today(), datetime.min.time(), UTC) + timedelta(hours=4, minutes=30)
    moments = iter(now + timedelta(seconds=2 * n) for n in range(100))
    listed: list[str] = []
    objects = Landing.objects

    def list_and_note(self: Landing, prefix: str = "") -> object:
        listed.append(prefix)
        return objects(self, prefix)

    monkeypatch.setattr(Landing, "objects", list_and_note)
    with workflows.working():
        take_in()
        scheduler = Scheduler(lambda: next(moments))
        scheduler.tick()
        scheduler.tidy()
        time.sleep(1)
        said, written = [], []
        sa.event.listen(warehouse.engine(), "before_cursor_execute", lambda *a: said.append(a[2].split()[0].upper()))
        for _ in range(3):
            listed.clear()
            before = one("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            scheduler.tick()
            scheduler.tidy()
            written.append(one("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint") - before)
            assert listed == [todays_prefix(today())]
    assert set(said) <= {"SELECT", "WITH"}
    assert min(written) == 0  # no transaction number was used up: nothing was written, by the queue either


def test_a_report_waits_for_the_usual_batches_and_says_so(bucket, db):
    day = date(2026, 11, 19)
    for week in (1, 2, 3, 4):
        for truck, hour in ((1, 12), (1, 15), (2, 21)):
            put(bucket, day - timedelta(weeks=week), hour, truck)
    put(bucket, day - timedelta(weeks=1), 18, 3)  # once only: nobody expects it again
    put(bucket, day, 12, 1)
    discovery.discover(Landing(), sweep=True)
    change("UPDATE ops.source_file SET state = 'unreadable'")
    found = readiness.of_day(db, day, weeks=4, share=0.75)
    assert not found.ready
    assert found.words() == "truck 1 (15:00); truck 2 (21:00)"
    put(bucket, day, 15, 1)
    put(bucket, day, 21, 2)
    discovery.discover(Landing(), sweep=True)
    with warehouse.connect() as fresh:
        assert readiness.of_day(fresh, day, weeks=4, share=0.75).files_under_way == 2
    change("UPDATE ops.source_file SET state = 'unreadable'")
    with warehouse.connect() as fresh:
        assert readiness.of_day(fresh, day, weeks=4, share=0.75).ready


def test_at_the_cut_off_the_report_goes_out_and_the_operators_are_notified_what_it_lacks(bucket):
    day = today() - timedelta(days=1)
    for week in (1, 2):
        put(bucket, day - timedelta(weeks=week))
    with workflows.working():
        take_in()
        moment = [datetime.combine(today(), datetime.min.time(), settings().zone) + timedelta(hours=8)]
        scheduler = Scheduler(lambda: moment[0])
        scheduler.tick()
        assert one("SELECT count(*) FROM dbos.workflow_status WHERE name = 'report'") == 0
        moment[0] += timedelta(hours=2)
        scheduler.tick()
        scheduler.tick()
        assert one("SELECT count(*) FROM dbos.workflow_status WHERE name = 'report'") == 2
        assert incidents() == [f"T3: reports of {day} are sent incomplete"]


@pytest.fixture
def kept(bucket, monkeypatch):
    """A scheduler under a clock that the test moves; returns how to move it and what was done at which local time."""
    moment, done = [datetime.min.replace(tzinfo=UTC)], []

    def note(*what):
        done.append((*what, f"{moment[0].astimezone(settings().zone):%Y-%m-%d %H:%M}"))

    monkeypatch.setattr(workflows, "take_over", lambda: 0)
    monkeypatch.setattr(workflows, "enqueue_open_batches", list)
    monkeypatch.setattr(workflows, "enqueue_report", lambda day, edition: edition == "cfo" and note("report", day))
    monkeypatch.setattr(stages, "park_stranded", lambda: None)
    monkeypatch.setattr(discovery, "discover", lambda _, sweep, only_today: sweep and note("sweep"))
    monkeypatch.setattr(maintenance, "ensure_partitions", lambda: note("partitions"))
    monkeypatch.setattr(readiness, "of_day", lambda db, day, **_: readiness.Readiness(day, (), 0))
    monkeypatch.setattr("scheduler.worker.leader._has_figures", lambda: True)
    monkeypatch.setattr("t3lib.archive.waiting", lambda db: (0, None))
    scheduler = Scheduler(lambda: moment[0])

    def at(when):
        moment[0] = when
        scheduler.tick()

    return at, done


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_through_a_clock_change_every_daily_task_is_done_once_at_its_local_time(kept, change):
    at, done = kept
    now = datetime.combine(change - timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=5)
    at(now)  # what was due before it started
    done.clear()
    while now < datetime.combine(change + timedelta(days=2), datetime.min.time(), UTC):
        now += timedelta(minutes=5)
        at(now)
    days = [change, change + timedelta(days=1)]
    for task, time_of_day in (("sweep", "02:30"), ("partitions", "03:30")):
        assert [one for one in done if one[0] == task] == [(task, f"{day} {time_of_day}") for day in days]
    assert [one for one in done if one[0] == "report"] == [
        ("report", str(day - timedelta(days=1)), f"{day} 06:30") for day in (change - timedelta(days=1), *days)
    ]


def test_what_was_missed_for_days_is_caught_up_once(kept):
    at, done = kept
    at(datetime(2026, 11, 2, 12, tzinfo=UTC))
    done.clear()
    for minute in range(30):
        at(datetime(2026, 11, 9, 12, minute, tzinfo=UTC))
    now = "2026-11-09 12:00"
    assert sorted(done) == [("partitions", now), ("report", "2026-11-08", now), ("sweep", now)]


def test_healthz_says_whether_ticks_succeed_and_metrics_count_the_work(bucket):
    put(bucket, today() - timedelta(days=1))
    pulse = health_endpoint.Pulse()
    with workflows.working():
        take_in()
    with health_endpoint.serving(pulse, 0) as url:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{url}/healthz")
        pulse.beat()
        assert urllib.request.urlopen(f"{url}/healthz").read() == b"ok\n"
        pulse.miss("The database closed the connection.")
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{url}/healthz")
        assert raised.value.read() == b"The database closed the connection.\n"
        with workflows.working():
            text = urllib.request.urlopen(f"{url}/metrics").read().decode()
    assert 't3_files{state="loaded"} 1\n' in text
    assert "t3_rows_loaded 1\n" in text
    assert 't3_runs{state="succeeded"} 3\n' in text
    assert "t3_workers 1\n" in text
    assert 't3_queue{state="waiting"} 0\n' in text
    assert 't3_requests{state="waiting"} 0\n' in text
    assert "t3_last_load_age_seconds " in text


def test_maintenance_makes_months_ahead_and_removes_staged_folders_that_nothing_owns(bucket):
    assert maintenance.ensure_partitions(date(2026, 11, 23)) == [
        date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1),
    ]  # fmt: skip
    assert one("SELECT to_regclass('core.sale_2027_01')::text") == "core.sale_2027_01"
    put(bucket, today())
    discovery.discover(Landing(), sweep=True)
    batch = one("SELECT batch_id FROM ops.batch")
    for name in (batch, "batch-9-deleted"):
        (settings().outputs / "staging" / name).mkdir(parents=True)
    assert maintenance.remove_staged(hours=24) == []
    assert maintenance.remove_staged(hours=0) == ["batch-9-deleted"]
    assert (settings().outputs / "staging" / batch).exists()


@pytest.mark.timeout(600)
def test_thousands_of_workflows_keep_their_order_todays_run_first_and_memory_is_flat(database, monkeypatch):
    begun = []
    monkeypatch.setattr(workflows.stages, "run_stage", lambda batch, stage, **_: begun.append((batch, stage)))
    monkeypatch.setattr(workflows.stages, "write_archive", lambda: 0)
    change(
        "INSERT INTO ops.batch (batch_id, files, bytes, created_at) "
        "SELECT 'old-' || to_char(n, 'FM00000'), 1, 1, now() + n * interval '1 ms' FROM generate_series(1, :n) AS n",
        n=PIECES,
    )
    change("INSERT INTO ops.batch (batch_id, files, bytes, created_at) VALUES ('new', 1, 1, now() + interval '1 day')")
    change("INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, state, batch_id) "
           "VALUES ('k', 'e', 1, now(), 'sales', 1, :day, 'claimed', 'new')", day=today())  # fmt: skip
    with workflows.working(concurrency=1):
        before = psutil.Process().memory_info().rss
        workflows.enqueue_open_batches()
        again = time.monotonic()
        workflows.enqueue_open_batches()
        again = time.monotonic() - again
        deadline = time.monotonic() + 120
        while ("new", "3_load") not in begun and time.monotonic() < deadline:
            time.sleep(0.1)
        last = len(begun)
        while len(begun) < last + 6 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert psutil.Process().memory_info().rss - before < 50 * 2**20
        with warehouse.connect() as db:
            created = db.execute(sa.text("SELECT split_part(workflow_uuid, ':', 2), created_at "
                                         "FROM dbos.workflow_status WHERE name = 'ingest'")).all()  # fmt: skip
        at = {row[0]: row[1] for row in created}
    order = [batch for batch, stage in begun if stage == "1_extract"]
    place = order.index("new")
    assert place < 500
    order.remove("new")
    # The queue knows milliseconds: of two pieces of the same one, either may be the first.
    assert [at[batch] for batch in order] == [at[f"old-{n:05d}"] for n in range(1, len(order) + 1)]
    assert len(set(order)) == len(order)


def test_status_says_what_the_reports_wait_for(bucket, t3):
    day = today() - timedelta(days=1)
    put(bucket, day - timedelta(weeks=1), 15, 2)
    discovery.discover(Landing(), sweep=True)
    code, out, _ = t3("status")
    assert code == 0
    assert f"cfo of {day} waits for truck 2 (15:00), at most until 09:30 (from 06:30)" in out
    (first, *_) = json.loads(t3("status", "--json")[1])["waiting"]
    assert (first["edition"], first["waits_for"]) == ("cfo", "truck 2 (15:00)")


def test_a_worker_that_cannot_start_ends_with_its_reason_instead_of_waiting(bucket, t3, monkeypatch):
    def refuse(*_):
        raise ServiceError("The database has no free connection: try again later.")

    monkeypatch.setattr(workflows, "Lease", refuse)
    code, _, err = t3("worker", "--health-port", "0")
    assert code == 1
    assert "no free connection" in err
