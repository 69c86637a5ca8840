"""The archive as it is written: what is committed is there as complete Parquet, whenever a writer is killed."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import obstore
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from t3lib import archive
from t3lib.archive import Archive, Day, history, layout
from t3lib.settings import ROOT
from tests.integration.archive.archiving import EVENING, FRIDAY, NEXT_DAY, PLACE, THURSDAY, differing, kept
from tests.support.feeding import LUNCH, at, put, rows, take_in

pytestmark = pytest.mark.slow  # it writes and reads an S3 server

WAITING = "SELECT DISTINCT business_date, truck_id FROM ops.archive_mark"


def test_each_loaded_day_is_one_object_in_its_partition(archive_store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:00", "card", "4.99"))
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    assert archive.write() == 2
    assert kept(archive_store) == [
        (f"{PLACE}/2026-11-05.parquet", 1, 499),
        (f"{PLACE}/2026-11-05.parquet", 2, 499),
        (f"{PLACE}/2026-11-06.parquet", 1, 700),
    ]
    assert differing() == []
    assert archive.write() == 0


def test_a_corrected_file_replaces_its_day(archive_store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "5.99"))
    put(bucket, EVENING, at("18:00", "cash", "7.00"))
    take_in()
    archive.write()
    put(bucket, LUNCH, at("12:00", "card", "9.99"))
    take_in()
    archive.write()
    assert [pence for _, _, pence in kept(archive_store)] == [999, 700]
    assert differing() == []


def test_a_day_that_lost_its_sales_loses_its_object(archive_store, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, LUNCH, at("12:00", "card", "VOID"))
    take_in()
    archive.write()
    assert kept(archive_store) == []
    assert differing() == []


def test_a_load_touches_only_its_own_days(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    assert rows(WAITING) == [(FRIDAY, 3)]


def test_an_object_holds_what_other_engines_need(archive_folder, bucket):
    put(bucket, "metadata/pitches.csv", "3,1,2026-11-01,2026-12-01", header="truck_id,location_id,from,to")
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    schema = pq.read_schema(archive_folder / PLACE / "2026-11-05.parquet")
    assert (str(schema.field("total_pence").type), str(schema.field("sold_at").type)) == (
        "int32",
        "timestamp[us, tz=UTC]",
    )
    (row,) = ds.dataset(archive_folder, partitioning="hive").to_table().to_pylist()
    assert (row["business_month"], row["truck_id"], row["business_date"]) == ("2026-11", 3, THURSDAY)
    assert (row["source_key"], row["location_id"], row["local_hour"]) == (LUNCH, 1, 12)


def test_the_documented_columns_are_those_of_the_files():
    page = (ROOT / "docs" / "archive.md").read_text()
    documented = dict(
        re.findall(r"^\| `(\w+)` \| ([^|,]+(?:, tz=UTC\])?)(?:, from the folder)? \|", page, re.MULTILINE)
    )
    assert documented == {field.name: str(field.type) for field in [*layout.FOLDERS, *layout.SCHEMA]}


def test_new_pitches_reach_the_archive(archive_folder, bucket):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    archive.write()
    put(bucket, "metadata/pitches.csv", "3,2,2026-11-01,2026-12-01", header="truck_id,location_id,from,to")
    take_in()
    archive.write()
    assert history.dataset().to_table()["location_id"].to_pylist() == [2]


def test_a_kill_between_commit_and_write_heals_with_the_next_load(archive_folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with monkeypatch.context() as killed:
        killed.setattr(Archive, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            archive.write()
    assert differing() == [(PLACE, THURSDAY, 0, 499, "waits to be written")]
    put(bucket, NEXT_DAY, at("12:00", "cash", "7.00", day="2026-11-06"))
    take_in()
    archive.write()
    assert differing() == []


def test_a_kill_between_write_and_mark_leaves_the_day_marked(archive_folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with monkeypatch.context() as killed:
        killed.setattr("t3lib.archive.writing._unmark", _killed)
        with pytest.raises(KeyboardInterrupt):
            archive.write()
    assert differing() == []
    assert rows(WAITING) == [(THURSDAY, 3)]
    assert archive.write() == 1


def test_a_load_that_commits_while_its_day_is_written_is_written_next(archive_folder, bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    replace = Archive.replace

    def replace_late(self, day, sales):
        put(bucket, EVENING, at("18:00", "cash", "7.00"))
        take_in()
        replace(self, day, sales)

    with monkeypatch.context() as slow:
        slow.setattr(Archive, "replace", replace_late)
        archive.write()
    assert differing() == [(PLACE, THURSDAY, 499, 1199, "waits to be written")]
    archive.write()
    assert differing() == []


def test_two_writers_at_once_leave_what_the_database_holds(archive_folder, bucket):
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


def test_readers_never_meet_half_a_day(archive_store, bucket):
    put(bucket, LUNCH, *[at("12:00", "card", "4.99")] * 400)
    take_in()
    archive.write()
    day, over = Day(THURSDAY, 3), threading.Event()

    def read():
        seen = set()
        while not over.is_set():
            seen.add(archive_store.read_day(day).num_rows)
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


def test_a_truncated_object_is_read_again(archive_store, bucket, monkeypatch):
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
    assert archive_store.read_day(Day(THURSDAY, 3)).num_rows == 1
    assert cut == []
    cut[:] = [100] * 9
    with pytest.raises(pa.ArrowInvalid):
        archive_store.read_day(Day(THURSDAY, 3))


def _killed(*_):
    raise KeyboardInterrupt
