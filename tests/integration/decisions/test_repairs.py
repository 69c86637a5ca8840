"""Repairs: rejected rows become sales or are dismissed, with a name, a reason, and a way back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from t3lib import warehouse
from t3lib.problems import RefusedError
from t3lib.warehouse.decisions import rejects, repairs, replays
from tests.integration.decisions.repairing import ANN, LEDGER, status
from tests.support import rulebooks
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in


def test_an_accepted_suggestion_joins_the_sales_with_its_lineage(file_id: int):
    sale = repairs.repair(file_id, 2, accept=True, **ANN)
    assert (sale["file_id"], sale["row_number"], sale["total_pence"], sale["local_hour"]) == (file_id, 2, 499, 12)
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert rows(LEDGER + " AND rows_read = 3") == [(3, 2, 1, 998)]
    assert status() == ["repaired", "open"]
    assert rows("SELECT actor, why, action, status_before, status_after, total_pence, forced FROM ops.repair") == [
        ("Ann", "The till lost its point.", "repair", "open", "repaired", 499, False)
    ]
    assert rows("SELECT cause, rows_before, rows_after, pence_before, pence_after FROM mart.restatement") == [
        ("repair", 1, 2, 499, 998)
    ]
    assert_reconciles()


def test_a_repair_is_undone_to_the_row_before(file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    assert repairs.undo(file_id, 2, actor="Ben", why="It was no sale.") == "repair"
    assert sales() == [(3, 1, 499)]
    assert status() == ["open", "open"]
    assert rows("SELECT action, undoes, status_after, total_pence FROM ops.repair ORDER BY repair_id") == [
        ("repair", None, "repaired", 499),
        ("undo", 1, "open", 499),
    ]
    assert [row[0] for row in rows("SELECT cause FROM mart.restatement ORDER BY restatement_id")] == ["repair", "undo"]
    assert_reconciles()
    with pytest.raises(RefusedError, match="There is no decision"):
        repairs.undo(file_id, 2, **ANN)


def test_a_typed_total_beyond_the_limits_asks_for_force(file_id: int):
    with pytest.raises(RefusedError, match="--force"):
        repairs.repair(file_id, 2, pence=499_00, **ANN)
    with pytest.raises(RefusedError, match="--force"):
        repairs.repair(file_id, 2, pence=90_00, **ANN)
    assert status() == ["open", "open"]
    assert repairs.repair(file_id, 2, pence=499_00, force=True, **ANN)["total_pence"] == 49900
    assert rows("SELECT forced FROM ops.repair") == [(True,)]
    assert_reconciles()


def test_a_row_that_lacks_its_total_asks_for_it(file_id: int):
    with pytest.raises(RefusedError, match=r"or accept £4.99 \(--accept\)"):
        repairs.repair(file_id, 2, **ANN)
    with pytest.raises(RefusedError, match="No total is suggested"):
        repairs.repair(file_id, 3, accept=True, **ANN)
    with pytest.raises(RefusedError, match="more than £0"):
        repairs.repair(file_id, 3, pence=0, **ANN)


def test_a_missing_time_or_payment_can_be_given(bucket: Path):
    put(bucket, LUNCH, "yesterday,card,5", at("12:01", "cheque", "6"))
    take_in()
    with pytest.raises(RefusedError, match="--at"):
        repairs.repair(1, 1, **ANN)
    with pytest.raises(RefusedError, match="--payment"):
        repairs.repair(1, 2, **ANN)
    with pytest.raises(RefusedError, match="neither card nor cash"):
        repairs.repair(1, 2, payment_type="shell", **ANN)
    moment = datetime(2026, 11, 6, 0, 30, tzinfo=UTC)
    sale = repairs.repair(1, 1, sold_at=moment, **ANN)
    assert (sale["business_date"], sale["local_hour"], sale["flags"] & 2) == (date(2026, 11, 5), 0, 2)
    assert repairs.repair(1, 2, payment_type="cash", **ANN)["payment_type"] == "cash"
    assert rows(LEDGER) == [(2, 2, 0, 1100)]
    assert_reconciles()


def test_a_forced_total_still_needs_a_time(bucket: Path):
    put(bucket, LUNCH, "yesterday,card,5000")
    take_in()
    with pytest.raises(RefusedError, match="--at"):
        repairs.repair(1, 1, pence=500000, force=True, **ANN)


def test_a_dismissed_row_stays_rejected_and_can_be_reopened(file_id: int):
    before = rows("SELECT version FROM mart.watermark")
    repairs.dismiss(file_id, 3, actor="Ann", why="A test of the till.")
    assert status() == ["open", "dismissed"]
    assert rows("SELECT version FROM mart.watermark") == before
    with pytest.raises(RefusedError, match="dismissed already"):
        repairs.repair(file_id, 3, pence=500, **ANN)
    assert repairs.undo(file_id, 3, **ANN) == "dismiss"
    assert repairs.repair(file_id, 3, pence=500, force=True, **ANN)["total_pence"] == 500
    assert_reconciles()


@pytest.mark.parametrize(("actor", "why"), [("", "reason"), ("Ann", " ")])
def test_a_decision_needs_a_name_and_a_reason(file_id: int, actor: str, why: str):
    with pytest.raises(RefusedError, match=r"--by|--why"):
        repairs.dismiss(file_id, 2, actor=actor, why=why)


def test_a_row_that_was_not_rejected_cannot_be_repaired(file_id: int):
    with pytest.raises(RefusedError, match="was not rejected"):
        repairs.repair(file_id, 1, pence=1, **ANN)


def test_a_row_of_a_replaced_file_decides_nothing(shifted: Path, file_id: int):
    put(shifted, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with pytest.raises(RefusedError, match="is superseded"):
        repairs.repair(file_id, 2, accept=True, **ANN)


def test_somebody_faster_is_noticed(file_id: int, monkeypatch: pytest.MonkeyPatch):
    with warehouse.connect() as db:
        seen = rejects.show(db, file_id, 2)
    repairs.dismiss(file_id, 2, **ANN)
    monkeypatch.setattr("t3lib.warehouse.decisions.rejects.show", lambda *_: seen)
    with pytest.raises(RefusedError, match="meanwhile"):
        repairs.repair(file_id, 2, accept=True, **ANN)
    assert sales() == [(3, 1, 499)]


def test_show_tells_the_whole_story_of_a_row(file_id: int):
    repairs.repair(file_id, 2, accept=True, **ANN)
    repairs.undo(file_id, 2, actor="Ben", why="Wrong row.")
    with warehouse.connect() as db:
        row = rejects.show(db, file_id, 2)
        assert [found["row_number"] for found in rejects.listed(db, reason="void")] == [3]
        assert rejects.listed(db, first=date(2026, 11, 6)) == []
        with pytest.raises(RefusedError, match="choose one of"):
            rejects.listed(db, reason="viod")
    assert row["sentence"].startswith("The total is 100 times a price")
    assert [(d["action"], d["actor"]) for d in row["decisions"]] == [("repair", "Ann"), ("undo", "Ben")]


def test_a_replay_takes_only_open_rejects(file_id: int, monkeypatch: pytest.MonkeyPatch):
    repairs.dismiss(file_id, 2, **ANN)
    rulebooks.reading(monkeypatch, "VOID", as_="1.23")
    done = replays.replay(actor="Ann", why="Voids are sales now.")
    assert (done.validated, done.accepted, done.pence) == (1, 1, 123)
    assert sales() == [(3, 1, 499), (3, 3, 123)]
    assert status() == ["dismissed", "replayed"]
    assert rows("SELECT cause, rows_after - rows_before FROM mart.restatement") == [("replay", 1)]
    assert_reconciles()
    assert replays.replay(actor="Ann", why="Once more.").validated == 0
    assert repairs.undo(file_id, 3, **ANN) == "replay"
    assert status() == ["dismissed", "open"]
    assert_reconciles()


def test_a_replay_under_the_same_rules_changes_nothing(file_id: int):
    done = replays.replay(actor="Ann", why="To be sure.", truck=3, first=date(2026, 11, 5), last=date(2026, 11, 5))
    assert (done.validated, done.accepted) == (2, 0)
    assert status() == ["open", "open"]
    assert rows("SELECT count(*) FROM ops.repair") == [(0,)]


def test_a_replay_gives_rows_the_reason_of_today(file_id: int, monkeypatch: pytest.MonkeyPatch):
    new = 'rules.reject("not_wanted", "It is not wanted.", when=rows.word.eq("void"), suggest=rows.truck * 0 + 250)'
    rulebooks.put_in_force(monkeypatch, rulebooks.edited({"void": new}))
    replays.replay(actor="Ann", why="New words.", reason="void")
    assert rows("SELECT reason, suggested_pence FROM ops.rejected_row WHERE row_number = 3") == [("not_wanted", 250)]


def test_of_two_people_at_once_one_decides(file_id: int):
    def decide(name: str) -> str:
        try:
            repairs.repair(file_id, 2, accept=True, actor=name, why="I was first.")
        except RefusedError:
            return "too late"
        return name

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decide, ["Ann", "Ben", "Cat", "Dan"]))
    assert found.count("too late") == 3
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert_reconciles()
