"""From a figure to its rows, and back to the text that the truck wrote."""

from datetime import date
from pathlib import Path

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.cleaning import Rulebook
from t3lib.landing import Landing
from t3lib.warehouse.checks import lineage
from t3lib.warehouse.checks.lineage import Question
from t3lib.warehouse.db import roles
from t3lib.warehouse.decisions import repairs
from tests.support import rulebooks
from tests.support.feeding import LUNCH, at, put, rows, take_in

DAY = Question(3, date(2026, 11, 5))
NOON = Question(3, date(2026, 11, 5), 12)
OTHER = LUNCH.replace("A1", "B2")


def traced(question: Question, landing: Landing | None = None) -> dict:
    with warehouse.connect() as db:
        return lineage.trace(db, question, landing)


def test_a_figure_leads_to_its_files_rows_and_raw_text(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("13:30", "Cash ", " £7"), at("12:45", "card", "VOID"))
    put(bucket, LUNCH.replace("T3_T3", "T3_T4"), at("12:00", "card", "9"))
    take_in()
    found = traced(DAY, Landing())
    assert found["truck"] == "Truck 3 (not in details.xlsx)"
    assert found["figure"] == {"transactions": 2, "pence": 1199} == found["rows"]
    assert found["agrees"]
    assert [(f["key"], f["transactions"], f["pence"], f["missing"]) for f in found["files"]] == [(LUNCH, 2, 1199, None)]
    assert [(s["row_number"], s["total_pence"], s["raw"]["total"], s["raw"]["type"]) for s in found["sales"]] == [
        (1, 499, "4.99", "card"),
        (2, 700, " £7", "Cash "),
    ]
    assert [(r["row_number"], r["raw_total"], r["reason"]) for r in found["rejects"]] == [(3, "VOID", "void")]


def test_an_hour_is_a_part_of_its_day(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("13:30", "card", "7"), at("12:45", "card", "VOID"))
    take_in()
    found = traced(NOON)
    assert found["figure"] == {"transactions": 1, "pence": 499} == found["rows"]
    assert [row["row_number"] for row in found["rejects"]] == [3]
    assert traced(Question(3, date(2026, 11, 5), 14))["files"] == []


def test_a_file_with_nothing_but_rejects_is_shown(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "VOID"), "no time,card,1")
    take_in()
    found = traced(DAY, Landing())
    assert [(f["key"], f["transactions"]) for f in found["files"]] == [(LUNCH, 0)]
    assert [r["reason"] for r in found["rejects"]] == ["void", "bad_timestamp"]


def test_a_version_that_left_the_bucket_is_reported_as_deleted(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    put(bucket, OTHER, at("12:01", "card", "7"))
    take_in()
    (bucket / LUNCH).unlink()
    found = traced(DAY, Landing())
    assert [f["missing"] for f in found["files"]] == [lineage.NOT_IN_BUCKET, None]
    assert [s.get("raw", {}).get("total") for s in found["sales"]] == [None, "7"]


def test_a_repaired_row_says_so(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "VOID"))
    take_in()
    repairs.repair(1, 1, pence=500, actor="Ann", why="It was sold.")
    found = traced(DAY, Landing())
    assert [(s["decision"], s["raw"]["total"], s["total_pence"]) for s in found["sales"]] == [("repaired", "VOID", 500)]
    assert found["rejects"] == []


def test_the_notebooks_of_a_figure_are_those_of_its_batches(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        db.execute(
            sa.text("""
                INSERT INTO ops.run (run_id, notebook, parameters, state, executed_copy)
                SELECT '1-a', '1_extract', jsonb_build_object('batch_id', batch_id), 'succeeded', 'runs/1.ipynb'
                FROM ops.batch
                UNION ALL
                SELECT '1-b', '1_extract', '{"batch_id": "another"}', 'succeeded', 'runs/2.ipynb'
            """)
        )
    assert [(r["run_id"], r["executed_copy"]) for r in traced(DAY)["runs"]] == [("1-a", "runs/1.ipynb")]


def test_a_truck_that_sold_nothing_has_an_empty_figure(bucket: Path):
    found = traced(DAY, Landing())
    assert found["figure"] == {"transactions": 0, "pence": 0}
    assert (found["files"], found["sales"], found["rejects"], found["runs"]) == ([], [], [], [])


def test_the_dashboards_role_may_follow_a_figure(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        roles.ensure(db)
        db.execute(sa.text("SET LOCAL ROLE t3_dashboard"))
        assert lineage.trace(db, DAY, Landing())["sales"][0]["raw"]["total"] == "4.99"
    assert rows("SELECT count(*) FROM mart.restatement") == [(0,)]


def test_each_rule_that_decided_a_row_is_shown_as_it_was(bucket: Path, monkeypatch):
    void = 'rules.reject("void", "A void.", when=rows.word.eq("void"))'
    late = 'rules.flag("dear", "Dear (loaded).", when=rows.pence.eq(499))'
    edited = rulebooks.edited({"void": void})
    book = Rulebook((*edited.cells, late), (*edited.numbers, rulebooks.ONE_MORE))
    rulebooks.put_in_force(monkeypatch, book)
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("13:30", "Cash ", "7"), at("12:45", "card", "VOID"))
    take_in()
    rulebooks.put_in_force(monkeypatch, rulebooks.edited({"void": void.replace("A void.", "Other words.")}))
    found = traced(DAY, Landing())["rules"]
    cell = book.cells.index(void) + 1
    assert {rule["ruleset"] for rule in found} == {book.hash}
    assert {rule["decision"]: (rule["rows"], rule["cell"], rule["sentence"], rule["text"]) for rule in found} == {
        "rejected: void": (1, cell, "A void.", void),
        "flagged: dear": (1, len(book.cells), "Dear (loaded).", late),
        "flagged: unknown_truck": (
            2,
            len(book.cells) - 1,
            "The truck is not in details.xlsx (loaded).",
            book.cells[-2],
        ),
        "payment read as card": (1, 1, None, book.cells[0]),
        "payment read as cash": (1, 2, None, book.cells[1]),
    }
