"""What an edited rule would change, shown before it is applied: the same figures as afterwards."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pytest

from t3lib import feed, warehouse
from t3lib.business_day import business_dates
from t3lib.cleaning import frames
from t3lib.feed import rows as feed_rows
from t3lib.ingest import pipeline, preview
from t3lib.settings import settings
from t3lib.warehouse.decisions import repairs
from t3lib.warehouse.files import reprocessing
from t3lib.warehouse.sales import restated_figures
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, take_in
from tests.support.rulebooks import limit

DAY = date(2026, 11, 5)
EVENING = "trucks/2026-11/5/18/T3_T3_B2.csv"


@pytest.fixture
def day(bucket: Path) -> Path:
    """£99.00, £4.99 and £101.00 (too much) at lunch, ERR in the evening, one sale of truck 5."""
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"), at("12:02", "card", "101"))
    put(bucket, EVENING, at("15:00", "card", "ERR"))
    put(bucket, LUNCH.replace("_T3_A", "_T5_A"), at("12:00", "cash", "7"))
    take_in()
    return bucket


def apply(last: date = DAY) -> list[restated_figures.Restatement]:
    """`t3 ingest --reprocess` without its kernels; what it recorded."""
    with warehouse.connect() as db:
        size = settings().batch_bytes
        made = reprocessing.claim_days(db, DAY, last, actor="Ann", why="A new rule.", batch_bytes=size)
    for batch_id in made:
        run(batch_id)
    with warehouse.connect() as db:
        return restated_figures.of_batches(db, made)


def recorded(changes: list[restated_figures.Restatement]) -> list[dict]:
    names = ("truck_id", "business_date", "rows_before", "rows_after", "pence_before", "pence_after")
    return [{name: getattr(change, name) for name in names} for change in changes]


def test_an_unchanged_rule_would_change_nothing(day):
    found = preview.of_days(DAY, DAY)
    assert found.files == {"unchanged": 3}
    assert (found.moves, found.days, found.pence_loaded) == ({}, {}, 9900 + 499 + 700)


def test_rows_that_would_move_are_shown_with_their_reasons_and_nothing_moves(day, monkeypatch):
    before = sales()
    limit(monkeypatch, 50_00)
    found = preview.of_days(DAY, DAY)
    assert found.by_move() == [{"before": "loaded", "after": "above_limit", "rows": 1, "pence": -9900}]
    assert found.files == {"restated": 1, "unchanged": 2}
    limit(monkeypatch, 200_00)
    assert preview.of_days(DAY, DAY).by_move() == [
        {"before": "above_limit", "after": "loaded", "rows": 1, "pence": 10100}
    ]
    assert sales() == before
    assert rows("SELECT count(*) FROM ops.restatement") == [(0,)]


@pytest.mark.parametrize("pence", [50_00, 200_00, 4_00])
def test_what_is_shown_is_what_the_restatement_records(day, monkeypatch, pence):
    limit(monkeypatch, pence)
    shown = preview.of_days(DAY, DAY).by_day()
    assert shown == recorded(apply())
    assert shown
    assert preview.of_days(DAY, DAY).days == {}
    assert_reconciles()


def test_a_sale_that_only_changes_its_hour_is_shown_as_a_change(day, monkeypatch):
    dates = business_dates
    monkeypatch.setattr(frames, "business_dates", lambda at: (dates(at)[0], pc.add(dates(at)[1], 1)))
    found = preview.of_days(DAY, DAY)
    assert found.by_move() == [{"before": "loaded", "after": "loaded", "rows": 3, "pence": 0}]
    assert found.by_day() == recorded(apply())


def test_a_row_that_a_person_repaired_stays_as_it_is(day, monkeypatch):
    repairs.dismiss(*rows("SELECT file_id, row_number FROM ops.rejected_row WHERE reason = 'above_limit'")[0],
                    actor="Ann", why="A test of the till.")  # fmt: skip
    limit(monkeypatch, 200_00)
    assert preview.of_days(DAY, DAY).moves == {}
    assert apply() == []


def test_each_batch_is_validated_under_what_the_one_before_leaves(bucket, monkeypatch):
    """Twenty sales of £0.50 become a price by the first file, so £50.00 in the second is one without its point."""
    limit(monkeypatch, 40)
    put(bucket, LUNCH, *[at("12:00", "card", "0.50")] * 20)
    take_in()
    put(bucket, EVENING, at("15:00", "card", "50"))
    take_in()
    assert sales() == []
    limit(monkeypatch, 100_00)
    monkeypatch.setattr("t3lib.warehouse.files.batches.BATCH_FILES", 1)
    found = preview.of_days(DAY, DAY)
    assert found.by_move() == [
        {"before": "above_limit", "after": "decimal_shift", "rows": 1, "pence": 0},
        {"before": "above_limit", "after": "loaded", "rows": 20, "pence": 1000},
    ]
    assert found.by_day() == recorded(apply())
    assert rows("SELECT reason FROM ops.rejected_row") == [("decimal_shift",)]


def test_a_file_that_can_be_read_now_is_named(bucket, monkeypatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), header="when,type,total")
    take_in()
    assert preview.of_days(DAY, DAY).readable == {}
    places = feed_rows._places
    monkeypatch.setattr(
        feed_rows, "_places", lambda header: places([name.replace("when", "timestamp") for name in header])
    )
    assert preview.of_days(DAY, DAY).readable == {LUNCH: 1}


def test_a_file_that_left_the_bucket_keeps_its_rows(day, monkeypatch):
    (day / LUNCH).unlink()
    limit(monkeypatch, 50_00)
    found = preview.of_days(DAY, DAY)
    assert (found.files, found.days) == ({"gone": 1, "unchanged": 2}, {})


def test_a_dry_run_of_a_day_says_what_loading_would_change(day, monkeypatch):
    limit(monkeypatch, 50_00)
    batch = pipeline.open_batch("", "2026-11-05")
    loaded = pipeline.load_batch(batch)
    assert (loaded.files, loaded.rows_read) == ({"restated": 1, "unchanged": 2}, 5)
    assert (loaded.rows_loaded, loaded.rows_rejected, loaded.pence_loaded) == (2, 3, 1199)
    assert sales() == [(3, 1, 9900), (3, 2, 499), (5, 1, 700)]


def test_a_dry_run_of_a_day_without_files_is_empty(day):
    loaded = pipeline.load_batch(pipeline.open_batch("", "2026-11-20"))
    assert (loaded.files, loaded.rows_read, loaded.pence_loaded) == ({}, 0, 0)


def test_rows_that_an_edited_reader_leaves_out_are_shown(day, monkeypatch):
    examine = feed.examine

    def first_row(key, data):
        found = examine(key, data)
        return replace(found, rows=found.rows.slice(0, 1))

    monkeypatch.setattr(feed, "examine", first_row)
    found = preview.of_days(DAY, DAY)
    assert found.by_move() == [
        {"before": "above_limit", "after": "not read", "rows": 1, "pence": 0},
        {"before": "loaded", "after": "not read", "rows": 1, "pence": -499},
    ]
    assert found.by_day() == recorded(apply())
    assert_reconciles()
