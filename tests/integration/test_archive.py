"""The archive: what is committed stands there as Parquet, whole, and the proof that it does."""

import json
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import obstore
import psutil
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from scheduler import queue, stages
from scheduler.embedded import services
from scheduler.worker import Scheduler
from t3lib import archive, warehouse
from t3lib.archive import Archive, Day, history, layout
from t3lib.settings import ROOT, SettingsError, settings
from tests.feeding import LUNCH, at, put, rows, take_in

EVENING = LUNCH.replace("/15/", "/21/")
NEXT_DAY = LUNCH.replace("/5/15/", "/6/15/")
THURSDAY, FRIDAY = date(2026, 11, 5), date(2026, 11, 6)
WAITING = "SELECT DISTINCT business_date, truck_id FROM ops.archive_mark"


@pytest.fixture
def folder(bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty archive in a folder, beside an empty bucket."""
    path = tmp_path / "archive"
    path.mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", path.as_uri())
    settings.cache_clear()
    return path


@pytest.fixture
def s3(bucket: Path) -> Archive:
    """An empty archive in a bucket of the embedded S3 server."""
    with services(("archive",), say=lambda line: None):
        yield Archive()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> Archive:
    """An empty archive of either kind."""
    request.getfixturevalue(request.param)
    return Archive()


def kept(store: Archive) -> list[tuple]:
    """(key, row number, pence) of every archived sale."""
    found, foreign = store.days()
    assert not foreign
    return [
        (day.key, row["row_number"], row["total_pence"]) for day in found for row in store.read_day(day).to_pylist()
    ]


def differing() -> list[tuple]:
    """What verification says of each day that differs."""
    with warehouse.connect() as db:
        found = archive.verify(db)
    return [(d.partition, d.business_date, d.archive_pence, d.database_pence, d.why) for d in found.differences]


PLACE = "business_month=2026-11/truck_id=3"


def test_each_loaded_day_is_one_object_in_its_partition(store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:00", "card", "4.99"))
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    assert archive.write() == 2
    assert kept(store) == [
        (f"{PLACE}/2026-11-05.parquet", 1, 499),
        (f"{PLACE}/2026-11-05.parquet", 2, 499),
        (f"{PLACE}/2026-11-06.parquet", 1, 700),
    ]
    assert differing() == []
    assert archive.write() == 0


def test_a_corrected_file_replaces_its_day(store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "5.99"))
    put(bucket, EVENING, at("18:00", "cash", "7.00"))
    take_in()
    archive.write()
    put(bucket, LUNCH, at("12:00", "card", "9.99"))
    take_in()
    archive.write()
    assert [pence for _, _, pence in kept(store)] == [999, 700]
    assert differing() == []


def test_a_day_that_lost_its_sales_loses_its_object(store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, LUNCH, at("12:00", "card", "VOID"))
    take_in()
    archive.write()
    assert kept(store) == []
    assert differing() == []


def test_a_load_touches_only_its_own_days(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    assert rows(WAITING) == [(FRIDAY, 3)]


def test_an_object_holds_what_other_engines_need(folder, bucket):
    put(bucket, "metadata/pitches.csv", "3,1,2026-11-01,2026-12-01", header="truck_id,location_id,from,to")
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    schema = pq.read_schema(folder / PLACE / "2026-11-05.parquet")
    assert (str(schema.field("total_pence").type), str(schema.field("sold_at").type)) == (
        "int32",
        "timestamp[us, tz=UTC]",
    )
    (row,) = ds.dataset(folder, partitioning="hive").to_table().to_pylist()
    assert (row["business_month"], row["truck_id"], row["business_date"]) == ("2026-11", 3, THURSDAY)
    assert (row["source_key"], row["location_id"], row["local_hour"]) == (LUNCH, 1, 12)


def test_the_documented_columns_are_those_of_the_files():
    page = (ROOT / "docs" / "archive.md").read_text()
    documented = dict(
        re.findall(r"^\| `(\w+)` \| ([^|,]+(?:, tz=UTC\])?)(?:, from the folder)? \|", page, re.MULTILINE)
    )
    assert documented == {field.name: str(field.type) for field in [*layout.FOLDERS, *layout.SCHEMA]}


def test_new_pitches_reach_the_archive(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, "metadata/pitches.csv", "3,2,2026-11-01,2026-12-01", header="truck_id,location_id,from,to")
    take_in()
    archive.write()
    assert history.dataset().to_table()["location_id"].to_pylist() == [2]


def test_a_kill_between_commit_and_write_heals_with_the_next_load(folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with monkeypatch.context() as killed:
        killed.setattr(Archive, "keep", _killed)
        with pytest.raises(KeyboardInterrupt):
            archive.write()
    assert differing() == [(PLACE, THURSDAY, 0, 499, "waits to be written")]
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    archive.write()
    assert differing() == []


def test_a_kill_between_write_and_mark_leaves_the_day_marked(folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with monkeypatch.context() as killed:
        killed.setattr("t3lib.archive.writing._unmark", _killed)
        with pytest.raises(KeyboardInterrupt):
            archive.write()
    assert differing() == []
    assert rows(WAITING) == [(THURSDAY, 3)]
    assert archive.write() == 1


def test_a_load_that_commits_while_its_day_is_written_is_written_next(folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    keep = Archive.keep

    def keep_late(self, day, sales):
        put(bucket, EVENING, at("18:00", "cash", "7.00"))
        take_in()
        keep(self, day, sales)

    with monkeypatch.context() as slow:
        slow.setattr(Archive, "keep", keep_late)
        archive.write()
    assert differing() == [(PLACE, THURSDAY, 499, 1199, "waits to be written")]
    archive.write()
    assert differing() == []


def test_two_writers_at_once_leave_what_the_database_holds(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    done = []
    writers = [threading.Thread(target=lambda: done.append(archive.write())) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sum(done) == 1
    assert differing() == []


def test_readers_never_meet_half_a_day(store, bucket):
    put(bucket, LUNCH, *[at("12:00", "card", "4.99")] * 400)
    take_in()
    archive.write()
    day, over = Day(THURSDAY, 3), threading.Event()

    def read():
        seen = set()
        while not over.is_set():
            seen.add(store.read_day(day).num_rows)
        return seen

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            for count in (100, 300, 200, 400):
                put(bucket, LUNCH, *[at("12:00", "card", "4.99")] * count)
                take_in()
                archive.write()
        finally:
            over.set()
    assert reader.result() <= {100, 200, 300, 400}


def test_an_object_that_lacks_its_end_is_read_again(store, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    real, cut = obstore.get, [100, 0]

    class Cut:
        def __init__(self, answer):
            self.answer = answer

        def bytes(self):
            whole = bytes(self.answer.bytes())
            return whole[: -cut.pop(0) or None] if cut else whole

    monkeypatch.setattr(obstore, "get", lambda *given: Cut(real(*given)))
    assert store.read_day(Day(THURSDAY, 3)).num_rows == 1
    assert cut == []
    cut[:] = [100] * 9
    with pytest.raises(pa.ArrowInvalid):
        store.read_day(Day(THURSDAY, 3))


def test_verification_names_what_differs_and_a_rebuild_rights_it(store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    archive.write()
    store.delete(Day(THURSDAY, 3).key)
    store.write(Day(FRIDAY, 3).key, b"PAR1 and then nothing")
    store.write(f"{PLACE}/copy.parquet", b"PAR1")
    store.write(f"{PLACE}/2026-11-09.parquet", b"PAR1")
    assert differing() == [
        (PLACE, THURSDAY, 0, 499, "is not what the database holds"),
        (PLACE, FRIDAY, 0, 700, "cannot be read as Parquet"),
        (PLACE, date(2026, 11, 9), 0, 0, "cannot be read as Parquet"),
        (PLACE, None, 0, 0, f"{PLACE}/copy.parquet is not the archive's own"),
    ]
    assert archive.rebuild("2026-10") == 0
    assert archive.rebuild("2026-11") == 3
    assert differing() == []


def test_sales_that_nobody_marked_are_found_by_verification_and_written_by_a_rebuild(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        db.execute(sa.text("DELETE FROM ops.archive_mark"))
    assert archive.write() == 0
    assert differing() == [(PLACE, THURSDAY, 0, 499, "is not what the database holds")]
    assert archive.rebuild() == 1
    assert differing() == []


def test_the_doctor_is_patient_with_days_that_wait(folder, bucket):
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
    assert stages.keep_archive() == 0
    assert rows("SELECT business_date, truck_id FROM ops.archive_mark") == [(THURSDAY, 3)], "one mark is enough"
    assert _checked() == (True, "no archive is kept: T3_ARCHIVE_URL is not set")


def test_an_archive_that_is_away_fails_no_load_and_tells_the_operators_once(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    folder.rmdir()
    assert stages.keep_archive() == stages.keep_archive() == 0
    assert rows("SELECT subject FROM ops.mail_outbox") == [("T3: the archive is behind the database",)]
    folder.mkdir()
    assert stages.keep_archive() == 1


def test_every_reader_sees_the_same_sales(store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "cash", "7.00"))
    put(
        bucket,
        LUNCH.replace("-11/5", "-10/31").replace("T3_T3", "T3_T12"),
        at("12:00", "card", "1.00", day="2026-10-31"),
    )
    take_in()
    archive.write()
    assert history.dataset().to_table().group_by("truck_id").aggregate([("total_pence", "sum")]).to_pylist() == [
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
def test_an_ingest_leaves_an_archive_that_the_command_verifies(folder, bucket, monkeypatch):
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    assert t3("ingest").returncode == 0
    found = t3("archive", "verify", "--json")
    assert (found.returncode, json.loads(found.stdout)) == (
        0,
        {"ok": True, "partitions": 1, "days": 1, "rows": 1, "pence": 499, "waiting": 0, "differences": []},
    )
    (folder / PLACE / "2026-11-05.parquet").unlink()
    found = t3("archive", "verify")
    assert found.returncode == 1
    assert all(word in found.stdout for word in (PLACE, "05 Nov 2026", "£0.00", "£4.99", "t3 archive rebuild"))
    assert "1 days written" in t3("archive", "rebuild", "--month", "2026-11").stderr
    assert t3("archive", "verify", "--month", "2026-11").returncode == 0


def test_a_month_that_is_none_is_refused_in_words(folder):
    refused = t3("archive", "rebuild", "--month", "November")
    assert (refused.returncode, refused.stderr) == (
        2,
        "t3: --month 'November' is not a month: write it like 2026-11.\n",
    )


def test_the_schedule_writes_what_no_load_will_write(folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    now = datetime.now(UTC)
    with queue.working():
        scheduler = Scheduler(clock=lambda: now)
        scheduler.plan = replace(scheduler.plan, reports={})
        scheduler.tick()
        assert rows(WAITING) == [(THURSDAY, 3)], "a load of its own may be about to write it"
        now += timedelta(minutes=5)
        scheduler.tick()
        queue.wait(f"archive:{now:%Y-%m-%dT%H:%M}")
    assert differing() == []


def t3(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as people run it, in this test's environment."""
    return subprocess.run([sys.executable, "-m", "scheduler.cli", *arguments], capture_output=True, text=True)


def test_a_cluster_address_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("T3_DASK_SCHEDULER", "localhost:8786")
    with pytest.raises(SettingsError, match="T3_DASK_SCHEDULER: write tcp://host:8786"):
        settings()


def _killed(*_):
    raise KeyboardInterrupt


def _checked() -> tuple[bool, str]:
    with warehouse.connect() as db:
        found = archive.check(db)
    return found.ok, found.detail
