"""The queue: every piece of work once, even when workers die."""

from datetime import date

import pytest

from t3lib import warehouse
from t3lib.settings import settings
from t3lib.simulate import simulate
from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.files import status
from tests.support import processes
from tests.support.steps import one, until

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(database, tmp_path, monkeypatch):
    """A week of three trucks in a folder, its truth, and everything a worker needs in the environment."""
    folder = tmp_path / "bucket"
    truth = tmp_path / "truth.json"
    made = simulate(folder, trucks=3, days=7, end=date(2026, 11, 15), seed=2, truth=truth)
    monkeypatch.setenv("T3_LANDING_URL", folder.as_uri())
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("T3_BATCH_BYTES", "65536")
    settings.cache_clear()
    return made


def worker() -> processes.Forked:
    return processes.start(processes.work)


def loaded() -> dict:
    with warehouse.connect() as db:
        return status.summary(db)


def all_done() -> bool:
    open_batches = one("SELECT count(*) FROM ops.batch WHERE state <> 'done'")
    open_files = one("SELECT count(*) FROM ops.source_file WHERE state IN ('new', 'claimed')")
    # The metadata's batch is done before the sales are looked for.
    return one("SELECT count(*) FROM ops.batch") > 1 and not open_batches and not open_files


def agrees(made) -> None:
    found = loaded()
    assert (found["rows_read"], found["rows_loaded"], found["pence_loaded"]) == (
        made.rows, made.accepted_rows, made.accepted_pence,
    )  # fmt: skip
    with warehouse.connect() as db:
        assert [check for check in reconciliation.checks(db) if not check.ok] == []


def test_the_work_of_a_killed_worker_is_taken_over_and_done_once(bucket):
    first, second = worker(), None
    try:
        until(lambda: one("SELECT count(*) FROM ops.run WHERE state = 'running'"))
        first.kill_group()
        second = worker()
        until(all_done, 120)
        agrees(bucket)
    finally:
        for process in (first, second):
            if process:
                process.kill()
                process.wait()


def test_two_workers_share_the_work_and_do_each_piece_once(bucket):
    workers = [worker(), worker()]
    try:
        until(all_done, 120)
        agrees(bucket)
        loads = one("SELECT count(*) FROM ops.run WHERE notebook = '3_load'")
        assert loads == one("SELECT count(*) FROM ops.batch")
    finally:
        for process in workers:
            process.terminate()
        for process in workers:
            process.kill()
            process.wait()


def test_a_batch_is_enqueued_once_however_often_it_is_requested(bucket):
    from scheduler.queue import workflows
    from t3lib.ingest import discovery
    from t3lib.landing import Landing

    with workflows.working():
        discovery.discover(Landing(), sweep=True)
        assert workflows.enqueue_open_batches() == workflows.enqueue_open_batches() != []
        for workflow in workflows.enqueue_open_batches():
            workflows.wait(workflow)
    assert one("SELECT count(*) FROM ops.run WHERE notebook = '3_load'") == 1
