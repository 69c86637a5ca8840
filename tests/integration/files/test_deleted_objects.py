"""Objects that left the bucket: their sales stay, and they are shown as deleted upstream."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from t3lib import warehouse
from t3lib.landing import Object
from t3lib.warehouse.files import ledger, reprocessing
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in
from tests.support.restating import SHIFTED, reprocess


def test_a_deleted_object_leaves_its_rows_as_they_are(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    (bucket / LUNCH).unlink()
    reprocess()
    with warehouse.connect() as db:
        (outcome,) = reprocessing.outcomes(db, [row[0] for row in rows("SELECT batch_id FROM ops.again_file")])
    assert outcome["outcome"] == "gone"
    assert outcome["reason"] == "The bucket no longer holds this version: its rows stay as they are."
    assert sales() == [(3, 1, 499)]
    assert_reconciles()


def test_a_deleted_object_is_kept_and_shown_as_deleted(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, SHIFTED, at("15:00", "card", "7"))
    take_in()
    (bucket / LUNCH).unlink()
    take_in()
    deleted = "SELECT key FROM mart.file WHERE deleted_at IS NOT NULL"
    assert rows(deleted) == [(LUNCH,)]
    assert {pence for _, _, pence in sales()} == {499, 700}
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    assert rows(deleted) == []
    assert_reconciles()


def test_an_empty_listing_marks_nothing_as_deleted(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        assert ledger.mark_deleted(db, set(), datetime.now(UTC)) == (0, 0)
        assert ledger.mark_deleted(db, {"another/bucket.csv"}, datetime.now(UTC)) == (0, 0)


def test_a_file_seen_after_the_listing_began_is_not_marked(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, SHIFTED, at("15:00", "card", "7"))
    begun = datetime.now(UTC)
    take_in()
    with warehouse.connect() as db:
        assert ledger.mark_deleted(db, {LUNCH}, begun) == (0, 0)


def test_a_listing_that_fails_marks_nothing(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()

    def listing(self, prefix: str = ""):
        yield Object("other.csv", "e", 1, datetime.now(UTC))
        raise ConnectionError("the network is away")

    monkeypatch.setattr("t3lib.landing.Landing.objects", listing)
    with pytest.raises(ConnectionError):
        take_in()
    assert rows("SELECT count(*) FROM mart.file WHERE deleted_at IS NOT NULL OR key = 'other.csv'") == [(0,)]
