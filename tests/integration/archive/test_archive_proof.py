"""The archive as it is read: the proof that it holds what the database does, its readers, commands and schedule."""

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest
import sqlalchemy as sa

from scheduler.queue import stages, workflows
from scheduler.worker.leader import Scheduler
from t3lib import archive, warehouse
from t3lib.archive import Day, history
from t3lib.settings import SettingsError, settings
from tests.integration.archive.archiving import EVENING, FRIDAY, NEXT_DAY, PLACE, THURSDAY, differing
from tests.support import processes
from tests.support.feeding import LUNCH, at, put, rows, take_in

pytestmark = pytest.mark.slow  # it ingests and archives days

WAITING = "SELECT DISTINCT business_date, truck_id FROM ops.archive_mark"


def test_verification_names_what_differs_and_a_rebuild_rights_it(archive_store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    archive.write()
    archive_store.delete(Day(THURSDAY, 3).key)
    archive_store.write(Day(FRIDAY, 3).key, b"PAR1 and then nothing")
    archive_store.write(f"{PLACE}/copy.parquet", b"PAR1")
    archive_store.write(f"{PLACE}/2026-11-09.parquet", b"PAR1")
    assert differing() == [
        (PLACE, THURSDAY, 0, 499, "is not what the database holds"),
        (PLACE, FRIDAY, 0, 700, "cannot be read as Parquet"),
        (PLACE, date(2026, 11, 9), 0, 0, "cannot be read as Parquet"),
        (PLACE, None, 0, 0, f"{PLACE}/copy.parquet was not written by the archive"),
    ]
    assert archive.rebuild("2026-10") == 0
    assert archive.rebuild("2026-11") == 3
    assert differing() == []


def test_sales_that_nobody_marked_are_found_by_verification_and_written_by_a_rebuild(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        db.execute(sa.text("DELETE FROM ops.archive_mark"))
    assert archive.write() == 0
    assert differing() == [(PLACE, THURSDAY, 0, 499, "is not what the database holds")]
    assert archive.rebuild() == 1
    assert differing() == []


def test_the_doctor_allows_for_days_that_wait(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    assert _checked() == (True, "0 partitions hold 0 sales, £0.00; 1 days wait to be written")
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE ops.archive_mark SET marked_at = now() - interval '1 hour'"))
    ok, detail = _checked()
    assert not ok
    assert "2026-11-05: waits to be written" in detail


def test_without_an_archive_days_wait_and_nothing_fails(bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, EVENING, at("18:00", "cash", "7.00"))
    take_in()
    assert stages.write_archive() == 0
    assert rows("SELECT business_date, truck_id FROM ops.archive_mark") == [(THURSDAY, 3)], "one mark is enough"
    assert _checked() == (True, "no archive is kept: T3_ARCHIVE_URL is not set")


def test_an_archive_that_is_away_fails_no_load_and_tells_the_operators_once(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive_folder.rmdir()
    assert stages.write_archive() == stages.write_archive() == 0
    assert rows("SELECT subject FROM ops.mail_outbox") == [("T3: the archive is behind the database",)]
    archive_folder.mkdir()
    assert stages.write_archive() == 1


def test_every_reader_sees_the_same_sales(archive_store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "cash", "7.00"))
    put(
        bucket,
        LUNCH.replace("-11/5", "-10/31").replace("T3_T3", "T3_T12"),
        at("12:00", "card", "1.00", day="2026-10-31"),
    )
    take_in()
    archive.write()
    # On one thread: with more, Arrow gives the groups in any order.
    by_truck = history.dataset().to_table().group_by("truck_id", use_threads=False)
    assert by_truck.aggregate([("total_pence", "sum")]).to_pylist() == [
        {"truck_id": 12, "total_pence_sum": 100},
        {"truck_id": 3, "total_pence_sum": 1199},
    ]
    with history.cluster():
        listening = [found.laddr.ip for found in psutil.Process().net_connections() if found.status == "LISTEN"]
        assert set(listening) <= {"127.0.0.1"}
        sales = history.sales()
        assert sales.npartitions == 2
        assert sales.groupby("truck_id").total_pence.sum().compute().to_dict() == {3: 1199, 12: 100}
        assert len(history.sales(first="2026-11")) == 2
        assert len(history.sales(last="2025-12")) == 0


@pytest.mark.slow
def test_an_ingest_leaves_an_archive_that_the_command_verifies(archive_folder, bucket, monkeypatch):
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    assert t3("ingest").returncode == 0
    found = t3("archive", "verify", "--json")
    assert (found.returncode, json.loads(found.stdout)) == (
        0,
        {"ok": True, "partitions": 1, "days": 1, "rows": 1, "pence": 499, "waiting": 0, "differences": []},
    )
    (archive_folder / PLACE / "2026-11-05.parquet").unlink()
    found = t3("archive", "verify")
    assert found.returncode == 1
    assert all(word in found.stdout for word in (PLACE, "05 Nov 2026", "£0.00", "£4.99", "t3 archive rebuild"))
    assert "1 days written" in t3("archive", "rebuild", "--month", "2026-11").stderr
    assert t3("archive", "verify", "--month", "2026-11").returncode == 0


def test_a_month_that_is_none_is_refused_in_words(archive_folder):
    refused = t3("archive", "rebuild", "--month", "November")
    assert (refused.returncode, refused.stderr) == (
        2,
        "t3: --month 'November' is not a month: write it like 2026-11.\n",
    )


def test_the_schedule_writes_what_no_load_will_write(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    now = datetime.now(UTC)
    with workflows.working():
        scheduler = Scheduler(clock=lambda: now)
        scheduler.plan = replace(scheduler.plan, reports={})
        scheduler.tick()
        assert rows(WAITING) == [(THURSDAY, 3)], "a load of its own may be about to write it"
        now += timedelta(minutes=5)
        scheduler.tick()
        workflows.wait(f"archive:{now:%Y-%m-%dT%H:%M}")
    assert differing() == []


def t3(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in this test's environment."""
    return processes.t3(arguments, os.environ)


def test_a_cluster_address_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("T3_DASK_SCHEDULER", "localhost:8786")
    with pytest.raises(SettingsError, match="T3_DASK_SCHEDULER: write tcp://host:8786"):
        settings()


def _checked() -> tuple[bool, str]:
    with warehouse.connect() as db:
        found = archive.check(db)
    return found.ok, found.detail
