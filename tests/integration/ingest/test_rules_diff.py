"""Two versions of the rules compared over loaded days: what the second changes of what the first would make."""

from datetime import date
from pathlib import Path

import pytest

from scheduler.cli.ingesting.ingest import reprocessed
from t3lib import warehouse
from t3lib.cleaning import Rulebook, RuleError
from t3lib.explore import rules as explore_rules
from t3lib.ingest import pipeline, preview, rules_diff
from t3lib.ingest.discovery import discover
from t3lib.ingest.rules_diff import RulesDiff
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from t3lib.warehouse.files import batches, reprocessing
from tests.conftest import PASSWORDS
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, run, sales, take_in
from tests.support.restating import DAY, SHIFTED, reprocess
from tests.support.rulebooks import edited, put_in_force

NEXT = date(2026, 11, 6)
VOUCHER = "rules.read('type', 'voucher', as_='cash')"


def limited(pence: int, *more: str) -> Rulebook:
    """The folder's rules with another limit, and further cells before them."""
    cell = f'rules.reject("above_limit", "The total is far above anything sold.", when=rows.pence > {pence})'
    return Rulebook((*more, *edited({"above_limit": cell}).cells))


@pytest.fixture
def days(bucket: Path) -> None:
    """Two trucks on two days: totals of £4.99, £60.00, £99.00 and £101.00 (too much), a voucher and a void."""
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"), at("12:02", "Voucher", "60"))
    put(bucket, LUNCH.replace("_T3_A", "_T5_A"), at("12:00", "cash", "VOID"), at("12:01", "cash", "101"))
    put(bucket, SHIFTED.replace("/5/", "/6/"), at("15:00", "voucher", "4.99", day="2026-11-06"))
    take_in()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (limited(100_00), limited(50_00)),
        (limited(50_00), limited(200_00, VOUCHER)),
        (limited(200_00, VOUCHER), limited(4_00)),
    ],
)
def test_two_versions_differ_as_if_the_first_were_applied(days, monkeypatch, first, second):
    shown = preview.of_days(DAY, NEXT, rules=second, against=first)
    assert shown.moves
    put_in_force(monkeypatch, first)
    reprocess(DAY, NEXT)
    applied = preview.of_days(DAY, NEXT, rules=second)
    assert (shown.by_move(), shown.by_day(), shown.files) == (applied.by_move(), applied.by_day(), applied.files)
    assert_reconciles()


def test_rows_and_pence_by_rule_truck_and_day_agree(days):
    found = preview.of_days(DAY, NEXT, rules=limited(200_00, VOUCHER), against=limited(50_00))
    assert found.by_move() == [
        {"before": "above_limit", "after": "loaded", "rows": 3, "pence": 9900 + 6000 + 10100},
        {"before": "unknown_payment_type", "after": "loaded", "rows": 1, "pence": 499},
    ]
    assert found.moved(0) == [{"truck_id": 3, "rows": 3, "pence": 16399}, {"truck_id": 5, "rows": 1, "pence": 10100}]
    assert [(of["business_date"], of["pence"]) for of in found.moved(1)] == [(DAY, 26000), (NEXT, 499)]
    assert [day["pence_before"] for day in found.by_day()] == [499, 0, 0]


def test_flags_that_two_versions_add_are_told_apart(days):
    first, second = (
        Rulebook((*Rulebook.of_folder().cells, f'rules.flag("{code}", "Odd (loaded).", when=rows.pence.eq(499))'))
        for code in ("odd", "strange")
    )
    found = preview.of_days(DAY, NEXT, rules=second, against=first)
    assert found.by_move() == [{"before": "loaded", "after": "loaded", "rows": 1, "pence": 0}]


def with_cells(*cells: str) -> Rulebook:
    """The folder's rules and these cells after them."""
    return Rulebook((*Rulebook.of_folder().cells, *cells))


ODD = 'rules.flag("odd", "Odd (loaded).", when=rows.pence.isin([499, 9900]))'
TENTH = 'rules.suggest("above_limit", rows.pence // 10)'
HUNDREDTH = 'rules.suggest("above_limit", rows.pence // 100)'


def marks(code: str, what: str, truck: int, **counts: int) -> dict:
    of = {"code": code, "what": what, "truck_id": truck, "business_date": DAY}
    return of | {"gained": 0, "lost": 0, "changed": 0, "pence": 0} | counts


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ((), (ODD,), [marks("odd", "flag", 3, gained=2)]),
        ((ODD,), (), [marks("odd", "flag", 3, lost=2)]),
        ((), (TENTH,), [marks("above_limit", "suggestion", 5, gained=1, pence=1010)]),
        ((TENTH,), (), [marks("above_limit", "suggestion", 5, lost=1, pence=-1010)]),
        ((TENTH,), (HUNDREDTH,), [marks("above_limit", "suggestion", 5, changed=1, pence=101 - 1010)]),
    ],
)
def test_flags_and_suggestions_are_shown_by_code_truck_and_day(days, monkeypatch, first, second, counts):
    by = ("code", "what", "truck_id", "business_date")
    before, after = with_cells(*first), with_cells(*second)
    found = preview.of_days(DAY, DAY, rules=after, against=before)
    assert (found.days, found.flags_and_suggestions(*by)) == ({}, counts)
    if first:
        put_in_force(monkeypatch, before)
        reprocess()
    assert preview.of_days(DAY, DAY, rules=after).flags_and_suggestions(*by) == counts


def test_a_notebook_shows_flags_and_suggestions_as_tables_and_chart(days, monkeypatch):
    edited_rules = with_cells(ODD, TENTH)
    monkeypatch.setattr(Rulebook, "of_folder", classmethod(lambda cls: edited_rules))
    shown = explore_rules.diff("2026-11-05")
    assert shown.by_mark.drop(columns="rows_lose_it").map(str).values.tolist() == [
        ["above_limit", "suggestion", "Truck 5 (not in details.xlsx)", "2026-11-05 00:00:00", "1", "0", "1010"],
        ["odd", "flag", "Truck 3 (not in details.xlsx)", "2026-11-05 00:00:00", "2", "0", "<NA>"],
    ]
    text, page = repr(shown), shown._repr_html_()
    for words in ("rejected: above_limit, differently", "loaded, differently", "+£10.10", "Truck 5", "Thu 5 Nov 2026"):
        assert words in text
        assert words in page
    assert "Flags and suggestions that change, by day. Bars of rows by business date: 5 Nov 3." in page


def test_files_that_wait_for_reprocessing_are_compared_and_named(days):
    """As after `t3 ingest --reprocess` failed: the files stay in its batch until it is tried again."""
    with warehouse.connect() as db:
        made = reprocessing.claim_days(db, DAY, DAY, actor="Ann", why="A rule.", batch_bytes=10**6)
        batches.finish(db, made[0], "The bucket does not answer.")
        assert reprocessed(reprocessing.outcomes(db, made)) == [
            "2 files were not reprocessed: the batch failed, and what is loaded is as before."
        ]
    found = preview.of_days(DAY, DAY, rules=limited(200_00))
    assert found.by_move() == [{"before": "above_limit", "after": "loaded", "rows": 1, "pence": 10100}]
    assert found.remarks() == [
        f"2 of these files wait to be reprocessed: {made[0]} failed (The bucket does not answer), so what is loaded is "
        "as before. `t3 ingest` tries again."
    ]
    with warehouse.connect() as db:
        again = reprocessing.claim_days(db, DAY, DAY, actor="Ann", why="A rule.", batch_bytes=10**6)
    assert again == made
    assert preview.of_days(DAY, DAY).remarks() == [
        f"2 of these files wait to be reprocessed in {made[0]}; compared is what is loaded until then."
    ]
    assert [run(batch_id).files for batch_id in again] == [{"unchanged": 2}]
    with warehouse.connect() as db:
        assert reprocessed(reprocessing.outcomes(db, made)) == ["2 files reprocessed, 2 of them came out as before."]
    assert preview.of_days(DAY, DAY).remarks() == []


def test_files_without_loaded_rows_are_named(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    discover(Landing(), sweep=True)
    found = preview.of_days(DAY, DAY)
    assert (found.files, found.remarks()) == ({}, [
        f"1 file of these days has no loaded rows and cannot be compared. claimed: Being taken in by a batch. ({LUNCH})"
    ])  # fmt: skip


@pytest.fixture
def analyst(days, monkeypatch) -> None:
    """From here on with the rights of an analyst; the last commit believes up to £50.00, and text in the database that
    looks like rules must never be run."""
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
        db.exec_driver_sql("""UPDATE ops.ruleset SET cells = '["raise SystemExit(9)"]'""")
    monkeypatch.setenv(
        "T3_DATABASE_URL", roles.urls(settings().need("database_url"), PASSWORDS)["database_url_analyst"]
    )
    settings.cache_clear()
    monkeypatch.setattr(Rulebook, "of_commit", classmethod(lambda cls, commit="HEAD": limited(50_00)))


def test_a_notebook_shows_what_its_edited_rules_change_and_changes_nothing(analyst):
    before = sales()
    batch = pipeline.open_batch("", "2026-11-05")
    pipeline.extract_batch(batch)
    stated = limited(100_00).state(pipeline.rules(batch))
    shown = pipeline.diff(batch, stated)
    assert isinstance(shown, RulesDiff)
    assert shown.sentence == (
        "2 loaded files under the rules above, compared with the rules of the last commit: "
        "2 rows come out differently, sales change by +£99.00."
    )
    page = shown._repr_html_()
    for text in ("rejected: above_limit", "Truck 3", "Thu 5 Nov 2026", "£4.99", "£103.99", "+£99.00", "<img alt="):
        assert text in page
    assert "3 loaded files" in repr(pipeline.diff(batch, stated, "2026-11-05..2026-11-06"))
    assert sales() == before


def test_unedited_rules_and_scheduled_batches_have_nothing_to_compare(analyst):
    batch = pipeline.open_batch("", "2026-11-05")
    pipeline.extract_batch(batch)
    assert "rules of the last commit" in repr(pipeline.diff(batch, limited(50_00).state(pipeline.rules(batch))))
    ((batch_id,),) = rows("SELECT DISTINCT batch_id FROM ops.source_file WHERE batch_id IS NOT NULL LIMIT 1")
    assert "rules of the last commit" in repr(pipeline.diff(pipeline.open_batch(batch_id), pipeline.rules(batch)))


def test_outside_of_a_checkout_edited_rules_are_compared_with_what_is_loaded(days, monkeypatch):
    def none(commit: str = "HEAD") -> Rulebook:
        raise RuleError("no checkout")

    monkeypatch.setattr(Rulebook, "of_commit", none)
    batch = pipeline.open_batch("", "2026-11-05")
    shown = pipeline.diff(batch, limited(50_00).state(pipeline.rules(batch)))
    assert isinstance(shown, RulesDiff)
    assert f"compared with {rules_diff.LOADED}: 2 rows come" in shown.sentence


def test_an_explore_notebook_compares_commits_by_one_line(analyst):
    shown = explore_rules.diff("2026-11-05..2026-11-06", against="HEAD")
    assert shown.by_rule.to_dict("records") == [
        {"rows_that_are": "rejected: above_limit", "would_be": "loaded", "rows": 1, "change_pence": 9900},
        {
            "rows_that_are": "rejected: above_limit",
            "would_be": "rejected: unknown_payment_type",
            "rows": 1,
            "change_pence": 0,
        },
    ]
    assert shown.by_day["change_pence"].tolist() == [9900]
    assert "compared with the rules of HEAD" in shown.sentence
