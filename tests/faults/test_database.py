"""A database that restarts, cuts, cancels, deadlocks: a load is retried or fails in words, and is never partial."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pandas as pd
import psutil
import psycopg2
import pytest
import sqlalchemy as sa

from scheduler.cli.ingesting.batches import take_in
from scheduler.queue import step_retries, workflows
from scheduler.runs.runner import NotebookFailedError
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url
from tests.faults.injection.cable import cable
from tests.support import feeding
from tests.support.feeding import LUNCH, at
from tests.support.steps import until

ROWS = [at(f"1{hour}:{minute:02d}", "card", "8.70") for hour in range(10) for minute in range(60) for _ in range(10)]
# Fails the first two loads, as the server itself would under such a conflict (a sequence is not rolled back).
CONFLICT = """
    CREATE SEQUENCE conflicts;
    CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('conflicts') <= 2 THEN RAISE EXCEPTION 'a conflict' USING ERRCODE = '{code}'; END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER conflict BEFORE UPDATE ON mart.watermark FOR EACH STATEMENT EXECUTE FUNCTION conflict();
"""


@pytest.fixture
def lunch(bucket):
    """One file waits in the bucket; returns how many sales it holds."""
    feeding.put(bucket, LUNCH, *ROWS[:1200])
    return 1200


@pytest.fixture
def line(database, monkeypatch):
    """The way to this test's database leads over a cable."""
    url = sa.make_url(database)
    with cable(url.normalized_query["host"][0]) as own:
        own_url = libpq_url(url.update_query_dict({"host": str(own.folder)}).render_as_string(hide_password=False))
        monkeypatch.setenv("T3_DATABASE_URL", own_url)
        settings.cache_clear()
        yield own
        warehouse.engine(own_url).dispose()


@pytest.mark.parametrize("copied", ["sale", "rejected_row", "outcome"])
@pytest.mark.parametrize("grace", [100, 20_000])
def test_a_line_cut_inside_copy_loads_nothing_and_the_next_try_everything(lunch, line, bucket, copied, grace):
    feeding.put(bucket, LUNCH, *ROWS[:1200], *[at("10:00", "card", "VOID")] * 1000)
    batch_id = staged()
    line.cut_at, line.grace, line.cuts = f'"{copied}"'.encode(), grace, 1
    with pytest.raises(Exception) as error:  # noqa: PT011
        feeding.run(batch_id)
    if line.broken:
        assert step_retries.is_temporary(error.value), repr(error.value)
    nothing_is_loaded()
    line.cuts = 0
    feeding.take_in()
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


def test_a_query_that_times_out_is_retried(lunch, database):
    batch_id = staged()
    with holding(database, "LOCK TABLE mart.sales_hourly IN SHARE MODE"):
        execute(database, f"ALTER DATABASE {sa.make_url(database).database} SET statement_timeout = '500ms'")
        with pytest.raises(Exception, match="statement timeout") as error:
            feeding.run(batch_id)
        assert step_retries.is_temporary(error.value), repr(error.value)
        nothing_is_loaded()
    feeding.take_in()
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


def test_a_connection_lost_under_pandas_is_retried(database):
    with pytest.raises(pd.errors.DatabaseError) as error, warehouse.connect() as db:
        pd.read_sql(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"), db)
    assert step_retries.is_temporary(
        NotebookFailedError("3_load", 4, "DatabaseError", str(error.value), "3_load.ipynb")
    )
    assert not step_retries.is_temporary(
        NotebookFailedError("3_load", 4, "DatabaseError", "no such column", "3_load.ipynb")
    )


def test_a_transaction_that_a_server_crash_ended_is_retried(cluster, own_database):
    """psycopg2 calls it but a DatabaseError when the server went between two queries."""
    url = cluster.url(own_database)

    def query_after_a_crash() -> None:
        with warehouse.connect() as db, holding(url) as other:
            session = db.scalar(sa.text("SELECT pg_backend_pid()"))
            os.kill(other.connection.info.backend_pid, signal.SIGKILL)
            until(lambda: not psutil.pid_exists(session))
            db.execute(sa.text("SELECT 1"))

    with pytest.raises(sa.exc.OperationalError) as error:
        query_after_a_crash()
    assert step_retries.is_temporary(error.value)
    until(lambda: cluster.is_up)


def test_the_loser_of_a_real_deadlock_is_retried(lunch, database):
    batch_id = staged()
    errors: list[Exception] = []

    def load() -> None:
        try:
            feeding.run(batch_id)
        except Exception as error:
            errors.append(error)

    with holding(database, "SET deadlock_timeout = '1min'", "LOCK TABLE mart.watermark") as other:
        loader = threading.Thread(target=load)
        loader.start()
        until(lambda: waits_for_lock(database))
        other.execute("SELECT 1 FROM ops.source_file FOR UPDATE")  # the loader holds these and wants the watermark
        loader.join(60)
    assert "deadlock" in str(errors[0])
    assert step_retries.is_temporary(errors[0]), repr(errors[0])
    nothing_is_loaded()
    feeding.take_in()
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("code", ["40001", "40P01", "57P01"])
def test_conflicts_are_retried_through_the_notebooks(lunch, database, short_pauses, code):
    execute(database, CONFLICT.format(code=code))
    with workflows.working():
        assert take_in() == []
    assert short_pauses == [1, 3]
    assert len(feeding.sales()) == lunch
    assert feeding.rows("SELECT count(*) FROM ops.run WHERE notebook = '3_load' AND state = 'failed'") == [(2,)]
    assert feeding.rows("SELECT count(*) FROM ops.mail_outbox") == [(0,)]
    feeding.assert_reconciles()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_lasting_conflict_fails_the_batch_and_is_notified_once(lunch, database, short_pauses):
    execute(database, CONFLICT.format(code="40001").replace("<= 2", "<= 6"))
    with workflows.working():
        assert "a conflict" in take_in()[0]
        assert feeding.rows("SELECT state FROM ops.batch") == [("failed",)]
        nothing_is_loaded()
        assert len(take_in()) == 1
        assert feeding.rows("SELECT count(*) FROM ops.mail_outbox") == [(1,)]
        assert take_in() == []
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_work_whose_end_was_not_recorded_is_resumed(lunch, database, short_pauses):
    execute(database, CONFLICT.format(code="22000").replace("<= 2", "<= 1"))
    with workflows.working():
        assert len(take_in()) == 1
        execute(database, "UPDATE ops.batch SET state = 'open'")  # as if its end had never been written
        assert len(take_in()) == 1
        execute(database, "UPDATE dbos.workflow_status SET updated_at = updated_at - 60000")
        assert take_in() == []
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_disk_is_notified_once_and_ingested_later(lunch, tmp_path, monkeypatch, short_pauses):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("this account may not mount a small disk (run as root to include this test)")
    outputs = os.environ["T3_OUTPUTS"]
    with workflows.working():
        try:
            in_folder(monkeypatch, str(small))
            assert "disk is full" in take_in()[0]
            assert "disk is full" in take_in()[0]
            nothing_is_loaded()
            assert feeding.rows("SELECT count(*) FROM ops.mail_outbox") == [(1,)]
        finally:
            subprocess.run(["umount", small], check=True)
        in_folder(monkeypatch, outputs)
        assert take_in() == []
    assert len(feeding.sales()) == lunch
    feeding.assert_reconciles()


def staged() -> str:
    """The id of the one batch that waits."""
    (batch_id,) = discover(Landing(), sweep=True)
    return batch_id


def nothing_is_loaded() -> None:
    """No sale, no reject, no outcome."""
    tables = ("core.sale", "ops.rejected_row", "mart.sales_hourly", "mart.price_daily")
    assert [feeding.rows(f"SELECT count(*) FROM {table}") for table in tables] == [[(0,)]] * 4
    assert feeding.states() == {LUNCH: "claimed"}


def in_folder(monkeypatch, outputs: str) -> None:
    monkeypatch.setenv("T3_OUTPUTS", outputs)
    settings.cache_clear()


@contextmanager
def holding(url: str, *statements: str) -> Iterator[psycopg2.extensions.cursor]:
    """Another session in a transaction that did these statements."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield cursor


def waits_for_lock(url: str) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with holding(url, query) as cursor:
        return bool(cursor.fetchone()[0])


def execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()
