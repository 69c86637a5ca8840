"""A hold stays with its key until a person releases it or a correction makes it needless."""

from pathlib import Path

import pytest

from scheduler.queue import stages
from t3lib.problems import RefusedError
from t3lib.settings import settings
from t3lib.warehouse.decisions import quarantine
from tests.integration.files.meals import LATER, MEALS, OTHER, PADDED, reason
from tests.support.feeding import LUNCH, assert_reconciles, put, rows, sales, states, take_in


def test_a_hold_outlives_a_new_upload_until_it_is_released(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    quarantine.hold(LUNCH, actor="Ann", why="A test of the till.")
    put(bucket, PADDED, *MEALS, *LATER)
    take_in()
    assert states() == {LUNCH: "superseded", PADDED: "held"}
    assert reason(PADDED) == (
        "Held by Ann: A test of the till. The hold stays with the key: this newer version waits too."
    )
    put(bucket, LUNCH, *MEALS, LATER[0])
    take_in()
    assert states() == {LUNCH: "held", PADDED: "superseded"}
    assert reason(LUNCH).count("The hold stays") == 1
    assert sales() == []
    assert_reconciles()
    quarantine.release(PADDED, actor="Ann", why="It was no test.")
    take_in()
    assert states()[LUNCH] == "loaded"
    assert len(sales()) == 4
    assert rows("SELECT action, subject FROM ops.audit ORDER BY audit_id") == [("hold", LUNCH), ("release", LUNCH)]
    assert_reconciles()


def test_operators_are_notified_of_a_version_that_waits_behind_a_hold(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", '["ops@t3.example"]')
    settings.cache_clear()
    put(bucket, LUNCH, *MEALS)
    take_in()
    quarantine.hold(LUNCH, actor="Ann", why="A test of the till.")
    put(bucket, LUNCH, *MEALS, *LATER)
    take_in()
    for (batch,) in rows("SELECT batch_id FROM ops.batch"):
        stages.finish_batch(batch)
        stages.finish_batch(batch)
    ((subject, message),) = rows("SELECT subject, message FROM ops.mail_outbox")
    assert subject == "T3: a held file was uploaded again"
    assert b"Held by Ann: A test of the till." in bytes(message).replace(b"=\n", b"")


def test_a_hold_says_what_it_refuses(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    take_in()
    with pytest.raises(RefusedError, match=f"{LUNCH} is loaded, not held"):
        quarantine.release(PADDED, actor="Ann", why="Let it in.")
    quarantine.hold(PADDED, actor="Ann", why="A test.")
    assert states() == {LUNCH: "held"}
    with pytest.raises(RefusedError, match=f"{LUNCH} is held, not loaded"):
        quarantine.hold(LUNCH, actor="Ann", why="A test.")


def test_a_corrected_version_ends_the_wait_of_a_duplicate(bucket: Path):
    put(bucket, LUNCH, *MEALS)
    put(bucket, OTHER, *MEALS)
    take_in()
    (held,) = (key for key, state in states().items() if state == "held_duplicate")
    put(bucket, held, *LATER)
    take_in()
    assert rows("SELECT state FROM ops.source_file WHERE key = :key ORDER BY file_id", key=held) == [
        ("superseded",),
        ("loaded",),
    ]
    assert len(sales()) == 6
    assert_reconciles()
