"""The bucket's content counts: versions that return, are deleted, or are listed by two at once."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scheduler.embedded import services
from scheduler.queue.backfill import Backfill
from t3lib import warehouse
from t3lib.ingest import discovery, pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing, Object
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.files import batches, ledger
from tests.support.feeding import HEADER, LUNCH, assert_reconciles, at, rows, sales, take_in

pytestmark = pytest.mark.slow  # it starts S3 servers

A, B, C = (f"{HEADER}\n{at('12:00', 'card', total)}\n".encode() for total in ("10.00", "20.00", "30.00"))
MENU = "metadata/menu.csv"
STATES = "SELECT state FROM ops.source_file ORDER BY file_id"


@pytest.fixture(params=["s3", "file"])
def landing(request: pytest.FixtureRequest, bucket: Path, home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    """An empty bucket of either kind beside this test's database."""
    if request.param == "file":
        yield Landing()
        return
    monkeypatch.setenv("T3_HOME", str(home.path))
    monkeypatch.delenv("T3_LANDING_URL")
    settings.cache_clear()
    with services(("landing",), say=lambda line: None):
        landing = Landing()
        yield landing
        for found in list(landing.objects()):
            landing.delete(found.key)


def pence() -> list[int]:
    return [total for _, _, total in sales()]


def test_going_back_to_an_earlier_version_is_loaded(landing: Landing):
    for content, total in ((A, 1000), (B, 2000), (A, 1000), (C, 3000), (B, 2000)):
        landing.write(LUNCH, content)
        take_in()
        assert pence() == [total]
    assert rows("SELECT count(*), count(DISTINCT batch_id) FROM ops.source_file") == [(5, 5)]
    assert_reconciles()


def test_deleting_the_new_version_and_uploading_the_old_one_is_loaded(landing: Landing):
    landing.write(LUNCH, A)
    take_in()
    landing.write(LUNCH, B)
    take_in()
    landing.delete(LUNCH)
    take_in()
    landing.write(LUNCH, A)
    take_in()
    assert pence() == [1000]
    assert rows("SELECT count(*) FROM ops.source_file WHERE deleted_at IS NOT NULL AND state = 'loaded'") == [(0,)]
    assert_reconciles()


def test_there_and_back_between_two_listings_changes_nothing(landing: Landing):
    landing.write(LUNCH, A)
    take_in()
    landing.write(LUNCH, B)
    landing.write(LUNCH, A)
    take_in()
    assert pence() == [1000]
    assert_reconciles()


def test_what_changed_before_it_was_read_is_read_when_it_returns(landing: Landing):
    landing.write(LUNCH, A)
    discover(landing, sweep=True)
    ((batch_id,),) = rows("SELECT batch_id FROM ops.batch")
    batch = pipeline.open_batch(batch_id)
    landing.write(LUNCH, B)
    pipeline.extract_batch(batch)
    landing.write(LUNCH, A)
    pipeline.clean_batch(batch)
    pipeline.load_batch(batch)
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    assert sales() == []
    take_in()
    assert pence() == [1000]
    assert rows(STATES) == [("superseded",), ("loaded",)]


def test_a_batch_that_read_an_older_version_does_not_replace_the_newer_one(landing: Landing):
    landing.write(LUNCH, A)
    discover(landing, sweep=True)
    ((batch_id,),) = rows("SELECT batch_id FROM ops.batch")
    slow = pipeline.open_batch(batch_id)
    pipeline.extract_batch(slow)
    pipeline.clean_batch(slow)
    landing.write(LUNCH, B)
    discover(landing, sweep=True)
    ((newer,),) = rows("SELECT batch_id FROM ops.batch WHERE batch_id <> :slow", slow=batch_id)
    batch = pipeline.open_batch(newer)
    for stage in (pipeline.extract_batch, pipeline.clean_batch, pipeline.load_batch):
        stage(batch)
    pipeline.load_batch(slow)
    assert pence() == [2000]
    assert rows(STATES) == [("superseded",), ("loaded",)]
    assert_reconciles()


def test_three_versions_in_one_batch_load_the_last(landing: Landing):
    landing.write(MENU, b"truck_id,menu_item,menu_type,price\n3,Taco,Mexican,10\n")  # the sales wait for the menu
    for content in (A, B, A):
        landing.write(LUNCH, content)
        discover(landing, sweep=True)
    assert rows("SELECT count(*) FROM ops.source_file WHERE state = 'new'") == [(3,)]
    take_in()
    assert pence() == [1000]
    assert_reconciles()


def test_a_menu_that_returns_is_the_menu(landing: Landing):
    for price in ("7", "9", "7"):
        landing.write(MENU, f"truck_id,menu_item,menu_type,price\n3,Taco,Mexican,{price}\n".encode())
        take_in()
    assert rows("SELECT price_pence FROM core.menu_item") == [(700,)]


def test_the_same_bytes_once_more_move_no_row(landing: Landing):
    landing.write(LUNCH, A)
    take_in()
    before = rows("SELECT file_id, row_number FROM core.sale")
    for _ in range(2):
        landing.delete(LUNCH)
        landing.write(LUNCH, A)
        take_in()
    assert rows("SELECT file_id, row_number FROM core.sale") == before
    assert rows("SELECT count(*) FROM mart.restatement") == [(0,)]
    ((etag,),) = rows("SELECT etag FROM ops.source_file WHERE state = 'loaded'")
    assert landing.read(LUNCH, etag) == A
    assert rows("SELECT state, deleted_at FROM ops.source_file ORDER BY version DESC NULLS LAST LIMIT 1") == [
        ("loaded", None)
    ]


def test_a_file_that_was_touched_can_still_be_held_and_released(landing: Landing):
    landing.write(LUNCH, A)
    take_in()
    landing.write(LUNCH, A)
    take_in()
    quarantine.hold(LUNCH, actor="Ann", why="A trial.")
    assert sales() == []
    quarantine.release(LUNCH, actor="Ann", why="It was right.")
    take_in()
    assert pence() == [1000]
    assert_reconciles()


def test_what_could_not_be_read_is_read_again_when_it_is_uploaded_again(landing: Landing):
    landing.write(LUNCH, b"when,what\n1,2\n")
    take_in()
    ((when,),) = rows("SELECT last_modified FROM ops.source_file")
    with warehouse.connect() as db:
        (found,) = landing.objects()
        assert ledger.record(db, [found]) == 0
        again = Object(found.key, found.etag, found.size, when + timedelta(seconds=5))
        assert ledger.record(db, [again]) == 1


def test_a_file_restored_with_its_old_time_and_size_is_loaded(bucket: Path):
    path = bucket / LUNCH
    path.parent.mkdir(parents=True)
    path.write_bytes(A)
    old = path.stat()
    take_in()
    for content, total in ((B, 2000), (A, 1000), (C, 3000)):
        path.write_bytes(content)
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
        take_in()
        assert pence() == [total]
    assert_reconciles()


def test_two_who_list_at_once_enter_a_version_once(database: str):
    objects = [Object(LUNCH.replace("A1", f"A{n}"), "e", 1, discovery_time()) for n in range(50)]
    for etag in ("e1", "e2", "e1"):
        versions = [Object(o.key, etag, o.size, o.last_modified) for o in objects]
        together = threading.Barrier(4)

        def enter(listed: list[Object], together: threading.Barrier = together) -> int:
            with warehouse.connect(database) as db:
                found = ledger.compare(db, listed)
                together.wait()
                return ledger.enter(db, found.new)

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(enter, [versions] * 4)) == 50
    assert rows("SELECT version, count(*) FROM ops.source_file GROUP BY 1 ORDER BY 1") == [(1, 50), (2, 50), (3, 50)]


def test_a_listing_older_than_what_another_process_saw_is_made_once_more(landing: Landing, monkeypatch):
    landing.write(LUNCH, A)
    take_in()
    stale = [list(landing.objects())]
    landing.write(LUNCH, B)
    real = Landing.objects

    def objects(self: Landing, prefix: str = "") -> Iterator[Object]:
        if not stale:
            return real(self, prefix)
        with warehouse.connect() as db:  # another process lists and enters meanwhile
            ledger.record(db, real(self, prefix))
        return iter(stale.pop())

    def compare(*given, real=ledger.compare):
        if len(given) > 2:  # discovery itself, on a busy machine
            time.sleep(0.3)
        return real(*given)

    monkeypatch.setattr(Landing, "objects", objects)
    monkeypatch.setattr(ledger, "compare", compare)
    discover(landing, sweep=True)
    assert rows(STATES) == [("loaded",), ("claimed",)]
    take_in()
    assert pence() == [2000]


def test_a_backfill_never_takes_an_older_listing_for_what_is_missing(landing: Landing, monkeypatch):
    landing.write(LUNCH, A)
    take_in()
    stale, real = list(landing.objects()), Landing.objects
    landing.write(LUNCH, B)

    def objects(self: Landing, prefix: str = "") -> Iterator[Object]:
        with warehouse.connect() as db:  # discovery lists and enters meanwhile
            ledger.record(db, real(self, prefix))
        return iter(stale)

    monkeypatch.setattr(Landing, "objects", objects)
    day = date(2026, 11, 5)
    [found] = Backfill(day, day, landing=landing).plan()
    assert found.missing == 1  # the version that discovery entered and nobody has loaded yet


def test_an_idle_look_is_one_read_and_writes_nothing(landing: Landing):
    landing.write(LUNCH, A)
    take_in()
    asked: list[str] = []
    engine = warehouse.engine()
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    discovery.discover(landing)
    statements = [" ".join(text.split()) for text in asked]
    assert sum("FROM ops.source_file WHERE key = ANY" in text for text in statements) == 1
    assert not [text for text in statements if text.startswith(("INSERT", "UPDATE"))]


PUT = st.tuples(st.sampled_from(["put", "restore"]), st.sampled_from([1, 2]), st.sampled_from("ABC"))
OTHER = st.tuples(st.sampled_from(["delete", "look", "ingest", "ingest"]), st.sampled_from([1, 2]), st.just(""))
_example = iter(range(1, 10**6))


@pytest.mark.slow  # it tries many sequences in both kinds of bucket
@hypothesis_settings(
    max_examples=int(os.environ.get("T3_FAULT_RUNS", 15)), deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=st.lists(st.one_of(PUT, OTHER), min_size=6, max_size=14))
def test_after_any_sequence_the_figures_are_the_buckets(landing: Landing, steps: list[tuple[str, int, str]]):
    offset = 10 * next(_example)
    contents = dict(zip("ABC", (A, B, C), strict=True))
    in_bucket: dict[int, str] = {}
    loaded: dict[int, str] = {}
    for step, number, letter in [*steps, ("ingest", 0, "")]:
        key = LUNCH.replace("T3_T3", f"T3_T{offset + number}")
        if step in ("put", "restore"):
            write(landing, key, contents[letter], restored=step == "restore")
            in_bucket[number] = letter
        elif step == "delete" and number in in_bucket:
            landing.delete(key)
            del in_bucket[number]
        elif step == "look":
            discover(landing, sweep=True)
        elif step == "ingest":
            take_in()
            loaded |= in_bucket
    expected = sorted((offset + number, 1000 * ("ABC".index(letter) + 1)) for number, letter in loaded.items())
    query = "SELECT truck_id, total_pence FROM core.sale WHERE truck_id BETWEEN :first AND :last ORDER BY 1, 2"
    assert rows(query, first=offset, last=offset + 9) == expected
    assert_reconciles()


def write(landing: Landing, key: str, content: bytes, *, restored: bool) -> None:
    """Put an object; in a folder a restored one is written in place and gets a time of the past."""
    folder = Path(landing.url.removeprefix("file://"))
    if not restored or not landing.url.startswith("file://"):
        landing.write(key, content)
        return
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_795_000_000, 1_795_000_000))


def discovery_time():
    with warehouse.connect() as db:
        return db.scalar(sa.text("SELECT now()"))
