"""Batches that load at the same moment, brought together at the worst points: exactly one of each pair is loaded."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine
from t3lib.warehouse.files import identity, reprocessing
from t3lib.warehouse.load import loading
from t3lib.warehouse.sales import rollups
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, states, take_in

pytestmark = pytest.mark.slow  # it races batches in pairs

OTHER = LUNCH.replace("A1", "B2")
PADDED = "trucks/2026-11/05/15/T3_T03_A1.csv"
EVENING = LUNCH.replace("/15/", "/18/")
MEALS = [at("12:00", "card", "4.99"), at("12:07", "cash", "5.99"), at("12:15", "card", "8.70")]
LATER = [at("15:31", "card", "4.99"), at("15:40", "cash", "7"), at("16:02", "card", "5.99")]
REFUSED = [at("12:00", "card", "VOID"), at("12:07", "cash", "ERR")]

# Where two loads meet: the function before or after which the first waits a while for the other.
POINTS = {
    "registered": (identity, "register", "after"),
    "about to lock": (identity, "lock", "before"),
    "locked": (identity, "lock", "after"),
    "decided": (loading, "decide", "after"),
    "written": (rollups, "raise_watermark", "before"),
}


@contextmanager
def meeting(point: str, parties: int = 2, seconds: float = 0.3) -> Iterator[list[bool]]:
    """Loads wait for each other at a point, so many seconds at most: one may be waiting for the other's locks."""
    module, name, when = POINTS[point]
    real, barrier, met = getattr(module, name), Barrier(parties), []

    def wait() -> None:
        try:
            barrier.wait(seconds)
            met.append(True)
        except BrokenBarrierError:
            met.append(False)

    def meet(*args: Any, **more: Any) -> Any:
        if when == "before":
            wait()
        done = real(*args, **more)
        if when == "after":
            wait()
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, meet)
        yield met


def staged(folder: Path, files: dict[str, list[str]]) -> pipeline.Batch:
    """A batch of these files, read and cleaned, ready to load."""
    before = {batch for (batch,) in rows("SELECT batch_id FROM ops.batch")}
    for key, lines in files.items():
        put(folder, key, *lines)
    discover(Landing(), sweep=True)
    (made,) = {batch for (batch,) in rows("SELECT batch_id FROM ops.batch")} - before
    return ready(made)


def ready(batch_id: str) -> pipeline.Batch:
    batch = pipeline.open_batch(batch_id)
    pipeline.extract_batch(batch)
    pipeline.clean_batch(batch)
    return batch


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """All at the same time; raises what any of them raises."""
    with ThreadPoolExecutor(len(work)) as pool:
        return [done.result(60) for done in [pool.submit(one) for one in work]]


def load(*batches: pipeline.Batch) -> list[loading.Loaded]:
    return at_once(*(partial(pipeline.load_batch, batch) for batch in batches))


def counts() -> dict[str, int]:
    return dict(rows("SELECT state, count(*) FROM ops.source_file GROUP BY state"))


def pence() -> int:
    return rows("SELECT coalesce(sum(total_pence), 0)::bigint FROM core.sale")[0][0]


PAIRS: dict[str, tuple[dict[str, list[str]], dict[str, list[str]], str]] = {
    "the same bytes": ({LUNCH: MEALS}, {OTHER: MEALS}, "held_duplicate"),
    "the same sales": ({LUNCH: MEALS}, {OTHER: MEALS[::-1]}, "held_duplicate"),
    "the same rejects": ({LUNCH: REFUSED}, {OTHER: REFUSED[::-1]}, "held_duplicate"),
    "an overlap": ({LUNCH: MEALS}, {OTHER: [*MEALS, *LATER]}, "held_overlap"),
    "two spellings": ({LUNCH: MEALS}, {PADDED: MEALS[:2]}, "superseded"),
}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_of_two_files_that_load_at_once_one_is_loaded(bucket: Path, pair: str, point: str):
    first, second, other = PAIRS[pair]
    batches = staged(bucket, first), staged(bucket, second)
    with meeting(point):
        load(*batches)
    assert counts() == {"loaded": 1, other: 1}
    if pair == "two spellings":
        assert states()[PADDED] == "loaded"
    assert_reconciles()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("over_loaded", [True, False], ids=["over a loaded version", "the first ones"])
def test_of_two_versions_that_load_at_once_the_newer_is_loaded(bucket: Path, over_loaded: bool, point: str):
    if over_loaded:
        put(bucket, LUNCH, MEALS[0])
        take_in()
    batches = [staged(bucket, {LUNCH: MEALS[:2]}), staged(bucket, {LUNCH: MEALS})]
    with meeting(point):
        load(*batches)
    assert counts() == {"loaded": 1, "superseded": 1 + over_loaded}
    assert pence() == 1968
    assert_reconciles()


@pytest.mark.parametrize("point", POINTS)
def test_batches_that_hold_each_others_copies_do_not_wait_for_each_other_forever(bucket: Path, point: str):
    one = staged(bucket, {LUNCH: MEALS, EVENING.replace("A1", "B2"): LATER})
    other = staged(bucket, {OTHER: MEALS, EVENING: LATER})
    with meeting(point):
        load(one, other)
    assert counts() == {"loaded": 2, "held_duplicate": 2}
    assert pence() == 1968 + 1798
    assert_reconciles()


@pytest.mark.parametrize("point", POINTS)
def test_a_copy_that_loads_while_its_file_is_corrected_leaves_one(bucket: Path, point: str):
    put(bucket, LUNCH, *MEALS)
    take_in()
    correction = staged(bucket, {LUNCH: [*MEALS, at("12:20", "card", "3.50")]})
    copy = staged(bucket, {OTHER: MEALS})
    with meeting(point):
        load(correction, copy)
    take_in()  # the copy held beside the older version is validated again, now that the newer one is loaded
    assert states()[LUNCH] == "loaded"
    assert states()[OTHER] in ("held_overlap", "held_duplicate")  # as it met the newer or the older version
    assert pence() == 1968 + 350
    assert_reconciles()


@pytest.mark.parametrize("point", ["locked", "written"])
def test_a_file_reprocessed_while_its_copy_and_its_correction_load(bucket: Path, point: str):
    put(bucket, LUNCH, *MEALS)
    put(bucket, EVENING, *LATER)
    take_in()
    with warehouse.connect() as db:
        wanted = reprocessing.claim(db, [1, 2], cause="again", actor="Ann", why="A rule", batch_bytes=2**20)
    again = ready(wanted[0])
    batches = [staged(bucket, {LUNCH: MEALS[:2]}), staged(bucket, {EVENING.replace("A1", "B2"): LATER})]
    with meeting(point):
        load(again, *batches)
    assert counts() == {"loaded": 2, "superseded": 1, "held_duplicate": 1}
    assert pence() == 499 + 599 + 1798
    assert_reconciles()


@pytest.mark.parametrize("point", POINTS)
def test_a_hold_while_a_new_version_loads_keeps_the_key_out(bucket: Path, point: str):
    put(bucket, LUNCH, *MEALS)
    take_in()
    newer = staged(bucket, {LUNCH: [*MEALS, *LATER]})
    with meeting(point, parties=1):
        at_once(
            partial(pipeline.load_batch, newer),
            partial(quarantine.hold, PADDED, actor="Ann", why="A test of the till."),
        )
    assert counts() == {"held": 1, "superseded": 1}
    assert pence() == 0
    assert states() == {LUNCH: "held"}
    assert_reconciles()


def test_files_of_other_hours_do_not_wait_for_each_other(bucket: Path):
    """Three batches with files of the same trucks are all written before the first commits."""
    days = [
        {
            f"trucks/2026-11/{day}/15/T3_T{truck}_A1.csv": [at("12:00", "card", "4.99", f"2026-11-{day:02d}")] * 5
            for truck in (1, 2, 3)
        }
        for day in (5, 6, 7)
    ]
    batches = [staged(bucket, files) for files in days]
    with meeting("written", 3, seconds=10) as met:
        load(*batches)
    assert met == [True] * 3
    assert counts() == {"loaded": 9}
    assert_reconciles()


def test_a_load_that_died_after_it_registered_keeps_nobody_waiting(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    died, copy = staged(bucket, {LUNCH: MEALS}), staged(bucket, {OTHER: MEALS})
    with monkeypatch.context() as broken:
        broken.setattr(loading, "decide", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipeline.load_batch(died)
    assert pipeline.load_batch(copy).files == {"loaded": 1}
    assert pipeline.load_batch(died).files == {"held_duplicate": 1}
    assert_reconciles()


def test_a_fleet_with_its_duplicates_loads_in_parallel_without_a_failure(bucket: Path, monkeypatch):
    """Files of a made-up fleet in small batches, three at a time: copies fall into other batches than their files."""
    from t3lib.simulate import simulate

    monkeypatch.setenv("T3_BATCH_BYTES", str(2**16))
    settings.cache_clear()
    truth = bucket.parent / "truth.json"
    simulate(bucket, trucks=80, days=3, history_days=0, seed=6, end=date(2026, 11, 20), truth=truth)
    discover(Landing(), sweep=True)
    for (metadata,) in rows("SELECT batch_id FROM ops.batch WHERE batch_id LIKE 'meta%'"):
        pipeline.load_batch(ready(metadata))
        rows("UPDATE ops.batch SET state = 'done' WHERE batch_id = :batch RETURNING 1", batch=metadata)
    discover(Landing(), sweep=True)
    waiting = [batch for (batch,) in rows("SELECT batch_id FROM ops.batch WHERE state = 'open' ORDER BY batch_id")]
    assert len(waiting) > 3
    with ThreadPoolExecutor(3) as pool:
        loaded = list(pool.map(lambda batch: pipeline.load_batch(ready(batch)), waiting))
    truth_files = json.loads(truth.read_text())["files"]
    assert sum(one.files.get("held_duplicate", 0) for one in loaded) == truth_files["held_duplicate"] > 0
    assert not counts().keys() & {"held_overlap", "claimed", "new"}
    assert_reconciles()
