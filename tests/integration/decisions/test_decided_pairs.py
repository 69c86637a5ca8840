"""What a person held, released or corrected leaves no sale counted twice, and none that is left out."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from t3lib import warehouse
from t3lib.landing.objects import Object
from t3lib.problems import RefusedError
from t3lib.warehouse.checks.duplicate_pairs import alike
from t3lib.warehouse.decisions import quarantine, repairs
from t3lib.warehouse.files import batches, ledger
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, states, take_in
from tests.support.restating import Decision

pytestmark = pytest.mark.slow  # it takes files in again and again

OTHER = LUNCH.replace("_A1", "_B2")
MEALS = [at(f"12:0{minute}", "card", f"{minute + 1}.00") for minute in range(4)]
ANN: Decision = {"actor": "Ann", "why": "A test of the till."}


def test_a_file_that_a_person_held_is_compared_when_it_is_released(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    quarantine.hold(LUNCH, **ANN)
    put(bucket, OTHER, *MEALS)
    take_in()
    quarantine.release(LUNCH, **ANN)
    take_in()
    assert states() == {LUNCH: "held_duplicate", OTHER: "loaded"}
    assert sum(pence for _, _, pence in sales()) == 1000
    assert_reconciles()


def test_releasing_ones_own_hold_lets_no_overlapping_version_in(bucket: Path):
    put(bucket, LUNCH, at("13:00", "card", "9.00"))
    put(bucket, OTHER, *MEALS)
    take_in()
    put(bucket, LUNCH, at("13:00", "card", "9.00"), *MEALS)
    take_in()
    quarantine.hold(LUNCH, **ANN)
    quarantine.release(LUNCH, **ANN)
    take_in()
    assert states() == {LUNCH: "held_overlap", OTHER: "loaded"}
    assert sum(pence for _, _, pence in sales()) == 1000
    assert_reconciles()


def test_a_hold_and_release_does_not_silence_the_doctor(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, *(line.rsplit(",", 1)[0] + ",ERR" for line in MEALS))
    take_in()
    quarantine.hold(LUNCH, **ANN)
    quarantine.release(LUNCH, **ANN)
    take_in()
    (file_id,) = (row[0] for row in rows("SELECT file_id FROM ops.source_file WHERE key = :key", key=OTHER))
    for number in range(1, 5):
        repairs.repair(file_id, number, pence=number * 100, **ANN)
    with warehouse.connect() as db:
        assert [(pair.common, pair.released) for pair in alike(db)] == [(4, False)]


@pytest.mark.parametrize("goes", ["held", "corrected"])
def test_a_duplicate_is_loaded_when_the_file_that_it_repeats_goes(bucket: Path, goes: str):
    put(bucket, LUNCH, *MEALS)
    take_in()
    put(bucket, OTHER, *MEALS)
    take_in()
    assert states()[OTHER] == "held_duplicate"
    if goes == "held":
        quarantine.hold(LUNCH, **ANN)
    else:
        put(bucket, LUNCH, at("12:30", "cash", "7.00"))
    take_in()
    assert states()[OTHER] == "loaded"
    assert sum(pence for _, _, pence in sales()) == (1000 if goes == "held" else 1700)
    assert_reconciles()


def test_a_file_that_left_the_bucket_is_not_released_into_nothing(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, LUNCH.replace("/15/", "/18/"), at("15:00", "card", "7"))
    take_in()
    (bucket / LUNCH).unlink()
    take_in()
    quarantine.hold(LUNCH, **ANN)
    with pytest.raises(RefusedError, match="no longer in the bucket: upload it again"):
        quarantine.release(LUNCH, **ANN)
    assert states()[LUNCH] == "held"
    with warehouse.connect() as db:  # over S3 the same content is the same version: it is there again, and not new
        ledger.mark_deleted(db, {LUNCH}, datetime.now(UTC))
    put(bucket, LUNCH, *MEALS)
    quarantine.release(LUNCH, **ANN)
    take_in()
    assert sum(pence for _, _, pence in sales()) == 1700
    assert_reconciles()


def test_a_version_that_was_taken_back_waits_for_nobody(bucket: Path):
    put(bucket, LUNCH, at("13:00", "card", "9.00"))
    put(bucket, OTHER, *MEALS)
    take_in()
    put(bucket, LUNCH, at("13:00", "card", "9.00"), *MEALS)
    take_in()
    put(bucket, LUNCH, at("13:00", "card", "9.00"))
    take_in()
    assert rows("SELECT count(*) FROM ops.source_file WHERE state LIKE 'held%'") == [(0,)]
    assert sum(pence for _, _, pence in sales()) == 1900


def test_an_earlier_spelling_that_returns_counts_again(bucket: Path):
    padded = LUNCH.replace("/5/", "/05/")
    put(bucket, LUNCH, at("12:00", "card", "10"))
    take_in()
    put(bucket, padded, at("12:00", "card", "20"))
    take_in()
    with warehouse.connect() as db:  # over S3 the same content has the same etag
        (again,) = ledger.by_id(db, [1])
        db.exec_driver_sql("UPDATE ops.source_file SET last_modified = last_modified - interval '1 hour'")
    batch = _listed_again(again)
    run(batch)
    assert states() == {LUNCH: "loaded", padded: "superseded"}
    assert [pence for _, _, pence in sales()] == [1000]


def _listed_again(file: ledger.File) -> str:
    with warehouse.connect() as db:
        ledger.record(db, [Object(file.key, file.etag, 1, file.last_modified)])
        (batch,) = batches.claim(db, 2**26)
    return batch
