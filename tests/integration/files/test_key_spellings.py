"""One key in two spellings is one file: the later upload replaces the earlier."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.feed.keys import logical
from tests.integration.files.meals import MEALS, PADDED, csv, written
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, states, take_in


def test_a_padded_spelling_is_a_new_version_that_replaces_the_rows(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, PADDED, *MEALS[:2], at("12:15", "card", "9.70"))
    take_in()
    assert states() == {LUNCH: "superseded", PADDED: "loaded"}
    assert sum(pence for _, _, pence in sales()) == 2068
    assert rows("SELECT cause FROM ops.restatement") == [("new_version",)]
    assert_reconciles()


def test_the_same_content_under_a_padded_spelling_counts_once(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, PADDED, *MEALS)
    take_in()
    assert states() == {LUNCH: "superseded", PADDED: "loaded"}
    assert len(sales()) == 3
    assert_reconciles()


def test_of_two_spellings_in_one_batch_the_later_upload_loads(bucket: Path):
    written(bucket, PADDED, csv(MEALS[:1]), uploaded=2_000_000_000)
    written(bucket, LUNCH, csv(MEALS), uploaded=2_000_000_001)
    take_in()
    assert states() == {PADDED: "superseded", LUNCH: "loaded"}
    assert rows("SELECT superseded_by = (SELECT file_id FROM ops.source_file WHERE state = 'loaded') "
                "FROM ops.source_file WHERE state = 'superseded'") == [(True,)]  # fmt: skip
    assert len(sales()) == 3
    assert_reconciles()


def test_an_older_upload_under_another_spelling_never_replaces_a_newer(bucket: Path):
    written(bucket, LUNCH, csv(MEALS), uploaded=2_000_000_001)
    take_in()
    written(bucket, PADDED, csv(MEALS[:1]), uploaded=2_000_000_000)
    take_in()
    assert states() == {LUNCH: "loaded", PADDED: "superseded"}
    assert len(sales()) == 3


def test_the_loaded_spelling_is_the_one_whose_deletion_is_recorded(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, PADDED, *MEALS)
    put(bucket, LUNCH.replace("/15/", "/18/"), at("15:00", "card", "7"))
    take_in()
    (bucket / LUNCH).unlink()
    take_in()
    deleted = "SELECT key FROM ops.source_file WHERE deleted_at IS NOT NULL"
    assert rows(deleted) == []
    (bucket / PADDED).unlink()
    take_in()
    assert rows(deleted) == [(PADDED,)]
    assert len(sales()) == 4


@pytest.mark.parametrize(
    ("key", "logical_key"),
    [
        (PADDED, "trucks/2026-11/5/15/T3_T3_A1.csv"),
        ("trucks/2026-01/05/09/T3_T007_01.csv", "trucks/2026-1/5/9/T3_T7_01.csv"),
        ("historical/TRUCK_DATA_HIST_04.parquet", "historical/TRUCK_DATA_HIST_4.parquet"),
        ("metadata/details.xlsx", "metadata/details.xlsx"),
        ("notes/05/T3_T01_A.csv", "notes/05/T3_T01_A.csv"),
        ("trucks/2026-10/10/00/T3_T0_A1.csv", "trucks/2026-10/10/0/T3_T0_A1.csv"),
    ],
)
def test_python_and_the_ledger_agree_on_the_logical_key(bucket: Path, key: str, logical_key: str):
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO ops.source_file (key, etag, size, last_modified, kind) "
                    "VALUES (:key, 'e', 1, now(), 'other')"), {"key": key},
        )  # fmt: skip
    assert (logical(key), logical(logical_key)) == (logical_key, logical_key)
    assert rows("SELECT logical_key FROM ops.source_file") == [(logical_key,)]
