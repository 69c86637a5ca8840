"""Workers are killed, stopped and cut off at any moment: every piece is loaded once, and the figures are right.

T3_FAULT_RUNS=100 makes more rounds than the few of the suite."""

import os
import random
import signal
import time
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.simulate import simulate
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import status
from tests.clusters import cluster
from tests.faults.injection.network import proxy, silent_network
from tests.support import processes
from tests.support.steps import one, until

RUNS = int(os.environ.get("T3_FAULT_RUNS", "0"))
SEEDS = range(RUNS) if RUNS else (1, 2)  # whose kills meet each of STAGES once
CUT_SECONDS = 60 if RUNS else 15  # a lease lasts for eight
STAGES = ("1_extract", "2_clean", "3_load", "between")
# Held by the workers of this test's database.
LEASES = """
    SELECT count(*) FROM ops.lease
    JOIN pg_stat_activity AS session ON session.pid = lease.pid AND session.backend_start = lease.started_at
    WHERE name LIKE 'executor %'
"""
# Not that yesterday's files are missing, which is true of this fleet and is notified once after the cut-off.
INCIDENTS = "SELECT count(*) FROM ops.mail_outbox WHERE report = 'incident' AND edition <> 'incomplete day'"
RUNS_OF = "SELECT count(*) FROM ops.run WHERE worker LIKE '%-{}' AND state = '{}'"
AT_ONCE = """
    SELECT count(*) FROM ops.run AS one JOIN ops.run AS other
        ON one.parameters ->> 'batch_id' = other.parameters ->> 'batch_id' AND one.run_id < other.run_id
    WHERE tstzrange(one.started_at, one.finished_at) && tstzrange(other.started_at, other.finished_at)
"""
SLOW_FIRST_LOAD = """
    CREATE SEQUENCE loads;
    GRANT USAGE ON loads TO PUBLIC;
    CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('loads') = 1 THEN PERFORM pg_sleep(5); END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER pause BEFORE UPDATE ON mart.watermark FOR EACH STATEMENT EXECUTE FUNCTION pause();
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(database, tmp_path, monkeypatch):
    """A week of three trucks in a folder, and everything a worker needs in the environment."""
    made = simulate(tmp_path / "bucket", trucks=3, days=7, end=date(2026, 11, 15), seed=2)
    monkeypatch.setenv("T3_LANDING_URL", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("T3_BATCH_BYTES", "65536")
    settings.cache_clear()
    return made


@pytest.fixture
def worker():
    """Starts workers, which end with the test."""
    started = []

    def start(task=processes.work, **given):
        started.append(processes.start(task, **given))
        return started[-1]

    yield start
    for process in started:
        process.kill_group()


def running(stage):
    if stage == "between":
        idle = "NOT EXISTS (SELECT FROM ops.run WHERE state = 'running')"
        return one(f"SELECT {idle} AND EXISTS (SELECT FROM ops.run WHERE notebook = '2_clean' AND state = 'succeeded')")
    return one(f"SELECT count(*) FROM ops.run WHERE notebook = '{stage}' AND state = 'running'")


def reached(stage: str) -> bool:
    """Whether a stage runs, or nothing is left to do."""
    return running(stage) or all_done()


def all_done():
    left = "SELECT (SELECT count(*) FROM ops.batch WHERE state <> 'done') + (SELECT count(*) FROM ops.source_file"
    return one("SELECT count(*) FROM ops.batch") > 1 and not one(f"{left} WHERE state IN ('new', 'claimed'))")


def agrees(made):
    """The figures are the truth's, and no batch was ever worked on twice at once."""
    assert one(AT_ONCE) == 0
    with warehouse.connect() as db:
        found = status.summary(db)
        assert [check for check in reconciliation.checks(db) if not check.ok] == []
    assert (found["rows_read"], found["rows_loaded"], found["pence_loaded"]) == (
        made.rows, made.accepted_rows, made.accepted_pence,
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(300)
def test_a_worker_killed_in_or_between_notebooks_loses_and_doubles_nothing(bucket, worker, seed):
    chance = random.Random(seed)
    process = worker()
    for stage in chance.sample(STAGES, 2):
        until(partial(reached, stage))
        time.sleep(chance.random() * 0.4)
        process.kill_group()
        process = worker()
    until(all_done, 120)
    agrees(bucket)
    until(lambda: not one("SELECT count(*) FROM ops.run WHERE state = 'running'"))


def test_the_work_of_a_dead_worker_is_taken_over_within_fifteen_seconds(bucket, worker, tmp_path):
    trucks = tmp_path / "bucket" / "trucks"
    held_back = trucks.rename(tmp_path / "trucks")  # else the first may be done before the second is up
    workers = {}
    for number in (1, 2):
        workers[number] = worker()
        until(partial(leased, number))
    held_back.rename(trucks)
    number = the_one_stopped_in_a_run(workers)
    dead, other = workers[number], workers[3 - number]
    assert one(RUNS_OF.format(number, "running")) == 1
    family = kin(dead)
    dead.kill_group()
    signal_all(family, signal.SIGCONT)
    begun = time.monotonic()
    left = f"SELECT count(*) FROM dbos.workflow_status WHERE executor_id LIKE '%-{number}' AND status = 'PENDING'"
    until(lambda: not one(left))
    assert time.monotonic() - begun < 15
    assert one(RUNS_OF.format(number, "lost")) == 1
    until(all_done, 120)
    agrees(bucket)
    assert other.poll() is None
    until(lambda: not any(map(lives, family)), 20)


def leased(number):
    """Whether so many workers hold a lease."""
    return one(LEASES) == number


def the_one_stopped_in_a_run(workers):
    """The number of the first worker that is stopped in the middle of a notebook: either may take all there is."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        for number, process in workers.items():
            if stopped_in_a_run(process, number):
                return number
        time.sleep(0.02)
    raise AssertionError("no worker was in a run")


def stopped_in_a_run(process, number=1):
    """Whether a worker is stopped in the middle of a notebook; else it runs on."""
    family = kin(process)
    if one(RUNS_OF.format(number, "running")):
        signal_all(family, signal.SIGSTOP)
        if one(RUNS_OF.format(number, "running")):
            return True
        signal_all(family, signal.SIGCONT)
    return False


def kin(process):
    """A process and all that it started."""
    return [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]


def lives(pid):
    """Whether a process runs; one that nobody buried does not."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def signal_all(pids, number):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def test_a_stopped_worker_finishes_its_notebook_and_leaves_the_rest(bucket, worker):
    process = worker()
    until(lambda: running("1_extract"))
    process.terminate()
    assert process.wait(60) == 0
    assert one("SELECT count(*) FROM ops.run WHERE state IN ('running', 'lost', 'failed')") == 0
    assert one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'") == 0
    worker()
    until(all_done, 120)
    agrees(bucket)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_worker_stopped_at_any_moment_fails_nothing(bucket, worker, seed):
    chance = random.Random(seed)
    process = worker()
    until(lambda: running(chance.choice(STAGES)) or all_done())
    time.sleep(chance.random())
    process.terminate()
    assert process.wait(60) == 0
    worker()
    until(all_done, 120)
    agrees(bucket)
    assert one("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'") == 0
    assert one(INCIDENTS) == 0


@pytest.fixture
def slow_first_load(database):
    """The first load waits before its last statement; returns whether it is there now."""
    with warehouse.connect() as db:
        db.exec_driver_sql(SLOW_FIRST_LOAD)
    return lambda: one(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize("paused", [False, True], ids=["running on", "paused with it"])
def test_a_worker_cut_off_does_not_commit_over_its_successor(bucket, worker, database, slow_first_load, paused):
    with proxy(database) as line:
        zombie = worker(T3_DATABASE_URL=line.url)
        until(slow_first_load)
        line.cut()
        cut = time.monotonic()
        frozen = kin(zombie)
        signal_all(frozen if paused else (), signal.SIGSTOP)
        until(lambda: not one(LEASES))
        worker()
        until(all_done, 150)
        agrees(bucket)
        loads = one("SELECT count(*) FROM ops.run WHERE notebook = '3_load' AND state = 'succeeded'")
        time.sleep(max(0, CUT_SECONDS - (time.monotonic() - cut)))
        line.restore()
        signal_all(frozen if paused else (), signal.SIGCONT)
        zombie.wait(60)  # its lease was taken
        agrees(bucket)
        assert one("SELECT count(*) FROM ops.batch WHERE state <> 'done'") == 0
        assert one("SELECT count(*) FROM ops.run WHERE notebook = '3_load' AND state = 'succeeded'") == loads
        assert one(INCIDENTS) == 0


@pytest.mark.timeout(400)
def test_a_worker_whose_network_goes_silent_is_replaced_within_fifteen_seconds(bucket, worker, monkeypatch):
    """Nothing is closed and nothing refused: packets vanish, as behind a switch without power."""
    with silent_network() as (network, url):
        monkeypatch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        warehouse.upgrade()
        zombie = worker(partial(network.inside, processes.work), warmed=False)
        until(lambda: one(LEASES) == 1)
        worker()
        until(lambda: one(LEASES) == 2)
        until(lambda: stopped_in_a_run(zombie))  # else the run may end before the network does
        network.fall_silent()
        signal_all(kin(zombie), signal.SIGCONT)
        cut = time.monotonic()
        until(lambda: one(RUNS_OF.format(1, "lost")), 15)
        until(all_done, 150)
        agrees(bucket)
        time.sleep(max(0, CUT_SECONDS - (time.monotonic() - cut)))
        network.speak()
        until(lambda: one(LEASES) == 2, 60)  # nobody took its lease: it continues
        assert zombie.poll() is None
        agrees(bucket)
        assert one(INCIDENTS) == 0


@pytest.mark.parametrize("seed", range(max(RUNS // 50, 2)))
@pytest.mark.timeout(400)
def test_a_database_that_is_restarted_under_load_loses_and_doubles_nothing(bucket, worker, monkeypatch, seed):
    chance = random.Random(seed)
    with cluster() as url:
        server = Postgres(Home(Path(sa.make_url(url).normalized_query["host"][0]).parent), lambda line: None)
        monkeypatch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        warehouse.upgrade()
        workers = [worker(), worker()]
        for stage in chance.sample(STAGES[:3], 2):
            until(partial(reached, stage))
            time.sleep(chance.random() * 0.4)
            server.stop()
            server.launch()
        until(all_done, 150)
        agrees(bucket)
        assert [process.poll() for process in workers] == [None, None]
        assert one(INCIDENTS) == 0
