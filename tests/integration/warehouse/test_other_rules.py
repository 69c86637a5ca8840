"""Loaded files whose rules changed since: counted by the doctor and on the operations page."""

from pathlib import Path

import pytest

from t3lib import warehouse
from t3lib.dashboard.operations import Operations
from t3lib.warehouse.checks import other_rules
from t3lib.warehouse.checks.reconciliation import Check
from tests.support.feeding import LUNCH, at, put, take_in
from tests.support.restating import reprocess
from tests.support.rulebooks import limit


@pytest.fixture
def two_files(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """£99.00 on the 5th, loaded before the limit became £50.00, and £4.99 on the 6th, loaded after."""
    monkeypatch.setattr(other_rules, "_SECONDS", 1e-9)
    put(bucket, LUNCH, at("12:00", "card", "99"))
    take_in()
    limit(monkeypatch, 50_00)
    put(bucket, LUNCH.replace("/5/", "/6/"), at("12:00", "card", "4.99", day="2026-11-06"))
    take_in()


def check() -> Check:
    with warehouse.connect() as db:
        return other_rules.check(db)


def heading() -> str:
    page = Operations()
    page.refresh()
    return page.heading.value


def test_a_file_cleaned_under_other_rules_is_named_until_it_is_reprocessed(two_files):
    found = check()
    assert found.detail == f"1 loaded file was cleaned under other rules than those in force: {LUNCH}"
    assert "`t3 diff 2026-11-05..2026-11-05`" in found.advice
    assert found.ok
    reprocess()
    assert check().detail == "every loaded file was cleaned under the rules in force"


def test_the_operations_page_counts_the_same_files(two_files):
    assert "<b>1</b> loaded file cleaned under other rules" in heading()
    reprocess()
    assert "other rules" not in heading()


def test_a_rule_that_changes_nothing_of_a_file_is_noted_all_the_same(two_files, monkeypatch):
    limit(monkeypatch, 200_00)
    assert check().detail.startswith("2 loaded files were")
    with warehouse.connect() as db:
        assert other_rules.find(db).days == "2026-11-05..2026-11-06"
