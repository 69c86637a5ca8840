"""A row that was rejected keeps the words of its reason, whatever the rules say later."""

from datetime import date
from pathlib import Path

import pytest

from t3lib import metrics, warehouse
from t3lib.cleaning import Rulebook
from t3lib.metrics.trust.explanations import likely_explanation
from t3lib.warehouse.checks import lineage
from t3lib.warehouse.decisions import rejects, repairs, replays
from t3lib.warehouse.files import rulesets
from tests.support.feeding import LUNCH, at, put, rows, take_in
from tests.support.restating import DAY, reprocess
from tests.support.rulebooks import edited, put_in_force

NEXT = date(2026, 11, 6)
LATER = LUNCH.replace("/5/", "/6/")
OLD, NEW, NEWEST = "The sale was voided on the till.", "The till says void.", "Voided by hand."


def worded(monkeypatch: pytest.MonkeyPatch, sentence: str, code: str = "void") -> None:
    put_in_force(monkeypatch, edited({"void": f'rules.reject("{code}", "{sentence}", when=rows.word.eq("void"))'}))


def words(key: str, row: int = 1) -> str:
    ((file_id,),) = rows("SELECT file_id FROM ops.source_file WHERE key = :key", key=key)
    with warehouse.connect() as db:
        return rejects.show(db, file_id, row)["sentence"]


@pytest.fixture
def reworded(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two voids on 5 November, one on the day after, before which the sentence of their reason was changed."""
    put(bucket, LUNCH, at("12:00", "card", "VOID"), at("12:01", "card", "VOID"))
    take_in()
    worded(monkeypatch, NEW)
    put(bucket, LATER, at("12:00", "card", "VOID", day="2026-11-06"))
    take_in()


def test_each_row_shows_the_words_under_which_it_was_rejected(reworded):
    assert (words(LUNCH), words(LATER)) == (OLD, NEW)
    with warehouse.connect() as db:
        traced = [lineage.rejects(db, lineage.Question(3, day))[0]["sentence"] for day in (DAY, NEXT)]
        of_days = [rulesets.sentences(db, day, day)["void"] for day in (DAY, NEXT)]
        likely = [likely_explanation(db, metrics.Scope(day, day), [], "rejects_up", None) for day in (DAY, NEXT)]
        assert rulesets.sentences(db)["void"] == NEW
    assert traced == of_days == [OLD, NEW]
    assert likely == [f"Most frequent (2): {OLD}", f"Most frequent (1): {NEW}"]


def test_reprocessing_gives_the_words_of_now_except_to_what_a_person_decided(reworded, monkeypatch):
    ((file_id,),) = rows("SELECT file_id FROM ops.source_file WHERE key = :key", key=LUNCH)
    repairs.dismiss(file_id, 2, actor="Ann", why="It was a void.")
    reprocess(DAY, DAY)
    worded(monkeypatch, NEWEST)
    assert (words(LUNCH), words(LUNCH, 2)) == (NEW, OLD)


def test_a_replay_gives_another_reason_in_its_own_words(reworded, monkeypatch):
    worded(monkeypatch, NEWEST, code="by_hand")
    replays.replay(actor="Ann", why="Another reason.", first=NEXT, last=NEXT)
    worded(monkeypatch, "Words that no row was rejected under.", code="by_hand")
    with warehouse.connect() as db:
        rulesets.register(db, Rulebook.in_force())
    assert (words(LUNCH), words(LATER)) == (OLD, NEWEST)
    reprocess(NEXT, NEXT)
    assert words(LATER) == "Words that no row was rejected under."


def test_rows_from_before_the_rules_were_kept_have_the_words_of_that_time(reworded):
    with warehouse.connect() as db:
        db.exec_driver_sql("UPDATE ops.source_file SET ruleset = NULL")
    assert (words(LUNCH), words(LATER)) == (OLD, OLD)
