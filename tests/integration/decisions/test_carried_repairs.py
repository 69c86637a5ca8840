"""A repair survives reprocessing and follows its row into a new version of the file."""

from pathlib import Path

import pytest

from t3lib import feed
from t3lib.problems import RefusedError
from t3lib.warehouse.decisions import repairs
from tests.integration.decisions.repairing import ANN, LEDGER, reprocess, status
from tests.support import rulebooks
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in

pytestmark = pytest.mark.slow  # it takes files in again and again


def test_a_repair_survives_reprocessing(file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    repairs.dismiss(file_id, 3, **ANN)
    assert reprocess()[0].files == {"unchanged": 1}
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert status() == ["repaired", "dismissed"]
    assert_reconciles()


def test_a_persons_value_wins_over_a_rule_that_reads_another(file_id: int, monkeypatch: pytest.MonkeyPatch):
    repairs.repair(file_id, 2, accept=True, **ANN)
    repairs.dismiss(file_id, 3, **ANN)
    rulebooks.reading(monkeypatch, "4.99", "499", "VOID", as_="7.77")
    assert reprocess()[0].files == {"restated": 1}
    assert sales() == [(3, 1, 777), (3, 2, 499)]
    assert status() == ["repaired", "dismissed"]
    assert_reconciles()


def test_a_rule_that_accepts_the_repaired_value_takes_it_over(file_id: int, monkeypatch: pytest.MonkeyPatch):
    repairs.repair(file_id, 2, accept=True, **ANN)
    with monkeypatch.context() as rule:
        rulebooks.reading(rule, "499", as_="4.99")
        reprocess()
    assert status()[0] == "replayed"
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert rows("SELECT action, actor FROM ops.repair ORDER BY repair_id")[-1] == ("accept", "the rules")
    with pytest.raises(RefusedError, match="accept this row themselves"):
        repairs.undo(file_id, 2, **ANN)
    assert_reconciles()
    reprocess()
    assert sales() == [(3, 1, 499)]
    assert status()[0] == "open"
    assert_reconciles()


def test_a_repair_is_carried_to_a_new_version_that_holds_the_same_row(shifted: Path, file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    repairs.dismiss(file_id, 3, **ANN)
    put(shifted, LUNCH, at("12:00", "card", "5"), at("12:01", "card", "499"), at("12:02", "cash", "VOID"))
    take_in()
    assert sales() == [(3, 1, 500), (3, 2, 499)]
    assert status() == ["superseded", "superseded", "repaired", "dismissed"]
    assert rows("SELECT action, actor FROM ops.repair WHERE action = 'carry'") == [("carry", "Ann"), ("carry", "Ann")]
    assert_reconciles()
    repairs.undo(file_id + 1, 2, **ANN)
    assert sales() == [(3, 1, 500)]
    assert_reconciles()


def test_a_repair_follows_its_row_when_rows_are_inserted_above_it(shifted: Path, file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    repairs.dismiss(file_id, 3, actor="Ben", why="A test of the till.")
    new = (at("11:58", "card", "4.99"), at("12:00", "card", "4.99"), at("11:59", "card", "ERR"))
    put(shifted, LUNCH, *new, at("12:01", "card", "499"), at("12:02", "cash", "VOID"))
    take_in()
    assert sales() == [(3, 1, 499), (3, 2, 499), (3, 4, 499)]
    assert status() == ["superseded", "superseded", "open", "repaired", "dismissed"]
    assert rows("SELECT row_number, action, actor, why FROM ops.repair WHERE file_id = :id", id=file_id + 1) == [
        (4, "carry", "Ann", "The till lost its point."), (5, "carry", "Ben", "A test of the till."),
    ]  # fmt: skip
    assert_reconciles()
    assert repairs.undo(file_id + 1, 4, **ANN) == "carry"
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert_reconciles()


def test_of_equal_rows_the_nth_stays_the_nth(bucket: Path):
    void = at("12:00", "card", "VOID")
    put(bucket, LUNCH, void, void, at("12:01", "card", "5"))
    take_in()
    repairs.repair(1, 2, pence=600, **ANN)
    put(bucket, LUNCH, at("11:59", "card", "5"), void, at("12:01", "card", "5"), void, void)
    take_in()
    assert sales() == [(3, 1, 500), (3, 3, 500), (3, 4, 600)]
    assert status() == ["superseded", "superseded", "open", "repaired", "open"]
    assert_reconciles()
    put(bucket, LUNCH, void, at("12:01", "card", "5"))
    take_in()
    assert sales() == [(3, 2, 500)]  # the second of them was deleted, and the decision with it
    assert status()[-1] == "open"
    assert_reconciles()


def test_a_corrected_row_ends_its_repair_and_is_reported(shifted: Path, file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    put(shifted, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "6.50"), at("12:02", "cash", "VOID"))
    take_in()
    assert sales() == [(3, 1, 499), (3, 2, 650)]
    assert rows("SELECT cause, rows_after - rows_before, pence_after - pence_before FROM mart.restatement") == [
        ("repair", 1, 499), ("new_version", 0, 151),
    ]  # fmt: skip
    assert_reconciles()


def test_a_repair_follows_its_row_when_another_reader_finds_more_rows(bucket: Path, monkeypatch: pytest.MonkeyPatch):
    void = at("12:02", "cash", "VOID")
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "ERR"), void, void)
    take_in()
    repairs.repair(1, 2, pence=300, **ANN)
    repairs.repair(1, 4, pence=700, **ANN)
    repairs.dismiss(1, 3, actor="Ben", why="A test of the till.")
    above, read = (at("11:58", "card", "6") + "\n").encode(), feed.examine
    monkeypatch.setattr(feed, "examine", lambda key, data: read(key, data.replace(b"\n", b"\n" + above, 1)))
    assert reprocess()[0].files == {"restated": 1}
    assert sales() == [(3, 1, 600), (3, 2, 499), (3, 3, 300), (3, 5, 700)]
    assert rows("SELECT row_number, status FROM ops.rejected_row ORDER BY 1") == [
        (3, "repaired"), (4, "dismissed"), (5, "repaired"),
    ]  # fmt: skip
    assert rows(LEDGER) == [(5, 4, 1, 2099)]
    assert rows("SELECT cause, rows_after - rows_before, pence_after - pence_before FROM mart.restatement")[-1] == (
        ("again", 1, 600)
    )
    assert_reconciles()
    assert reprocess()[0].files == {"unchanged": 1}
    with pytest.raises(RefusedError, match="was not rejected"):
        repairs.undo(1, 2, **ANN)
    assert repairs.undo(1, 4, **ANN) == "carry"
    assert repairs.undo(1, 5, **ANN) == "carry"
    assert sales() == [(3, 1, 600), (3, 2, 499), (3, 3, 300)]
    assert_reconciles()


def test_a_repair_is_not_carried_to_another_row(shifted: Path, file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    put(shifted, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "VOID"))
    take_in()
    assert sales() == [(3, 1, 499)]
    assert status() == ["superseded", "superseded", "open"]
    assert_reconciles()
