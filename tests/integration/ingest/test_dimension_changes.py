"""New trucks, menus and pitches reprocess the loaded sales, and restatements record what they moved."""

from pathlib import Path

import openpyxl
import pytest

from t3lib.cleaning import RuleError
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in
from tests.support.restating import MENU, RECORDED, SHIFTED, outcomes
from tests.support.rulebooks import edited, put_in_force, with_rule

pytestmark = pytest.mark.slow  # it takes files in again and again


def test_pitches_move_sales_between_places_and_say_so(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    put(bucket, "metadata/pitches.csv", "3,7,2026-11-05 10:00,2026-11-05 20:00", header="truck_id,location_id,from,to")
    take_in()
    assert rows("SELECT location_id, total_pence FROM mart.sales_hourly") == [(7, 499)]
    assert rows(RECORDED) == [("metadata", 3, "2026-11-05", 1, 1, 499, 499)]
    assert_reconciles()


def test_a_menu_price_that_explains_a_sale_as_a_shift_restates_it(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "0.99"))
    put(bucket, SHIFTED, at("15:00", "card", "7"))
    take_in()
    put(bucket, "metadata/menu.csv", "3,Corn,Mexican,0.99", "3,Burrito,Mexican,7", header=MENU)
    take_in()
    assert rows("SELECT raw_total, reason, suggested_pence FROM ops.rejected_row") == [("99", "decimal_shift", 99)]
    assert outcomes() == [("restated",)]
    assert rows(RECORDED) == [("metadata", 3, "2026-11-05", 3, 2, 10699, 799)]
    assert_reconciles()


def test_a_menu_price_that_allows_a_rejected_total_loads_it(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "150"))
    take_in()
    put(bucket, "metadata/menu.csv", "3,Party platter,Mexican,60", header=MENU)
    take_in()
    assert sales() == [(3, 1, 15000)]
    assert rows(RECORDED) == [("metadata", 3, "2026-11-05", 0, 1, 0, 15000)]
    assert_reconciles()


def test_a_menu_that_changes_no_outcome_reprocesses_nothing(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "7"), at("12:01", "card", "ERR"))
    take_in()
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,7", header=MENU)
    take_in()
    assert outcomes() == []


def test_a_truck_that_loses_its_card_reader_has_its_card_sales_marked(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "cash", "7"))
    take_in()
    assert rows("SELECT flags & 5 FROM core.sale ORDER BY row_number") == [(4,), (4,)]
    assert rows("SELECT warnings FROM ops.source_file") == [(["unknown_truck"],)]
    details(bucket, "NO")
    take_in()
    assert rows("SELECT flags & 5 FROM core.sale ORDER BY row_number") == [(1,), (0,)]
    assert rows("SELECT warnings FROM ops.source_file WHERE truck_id = 3") == [([],)]
    details(bucket, "YES")
    take_in()
    assert rows("SELECT flags & 5 FROM core.sale ORDER BY row_number") == [(0,), (0,)]
    assert (rows(RECORDED), outcomes()) == ([], [])
    assert_reconciles()


def test_a_flag_that_no_rule_states_is_given_to_no_sale(bucket: Path, monkeypatch):
    put_in_force(monkeypatch, edited({"card_without_reader": ""}))
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    take_in()
    details(bucket, "NO")
    take_in()
    assert rows("SELECT flags & 5 FROM core.sale") == [(0,)]
    assert outcomes() == []
    assert_reconciles()


def test_a_flag_that_is_stated_otherwise_is_given_as_stated(bucket: Path, monkeypatch):
    when = 'rows.payment.eq("card") & rows.without_reader & rows.pence.gt(500)'
    cell = f'rules.flag("card_without_reader", "A dear card sale without a reader (loaded).", when={when})'
    put_in_force(monkeypatch, edited({"card_without_reader": cell}))
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "7"))
    take_in()
    details(bucket, "NO")
    take_in()
    assert rows("SELECT flags & 5 FROM core.sale ORDER BY row_number") == [(0,), (1,)]
    assert rows("SELECT warnings FROM ops.source_file WHERE truck_id = 3") == [([],)]
    assert_reconciles()


def test_a_rule_of_ones_own_about_the_menu_is_applied_to_all_sales_of_a_changed_truck(bucket: Path, monkeypatch):
    off_menu = 'rules.reject("off_menu", "Not on the menu.", when=rows.has_menu & ~rows.on_menu)'
    put_in_force(monkeypatch, with_rule(off_menu))
    put(bucket, "metadata/menu.csv", "3,Corn,Mexican,0.99", "3,Burrito,Mexican,7", header=MENU)
    put(bucket, LUNCH, at("12:00", "card", "7"), at("12:01", "card", "0.99"))
    put(bucket, SHIFTED, at("15:00", "card", "7.5"), at("15:01", "card", "7"), at("15:02", "card", "0.99"))
    take_in()
    assert sales() == [(3, 1, 700), (3, 2, 99), (3, 2, 700), (3, 3, 99)]
    lines = "3,Corn,Mexican,0.99,", "3,Burrito,Mexican,7.5,2026-11-01"
    put(bucket, "metadata/menu.csv", *lines, header=f"{MENU},from")
    take_in()
    assert sorted(pence for _, _, pence in sales()) == [99, 99, 750]
    assert rows("SELECT DISTINCT raw_total, reason FROM ops.rejected_row") == [("7", "off_menu")]
    assert outcomes() == [("restated",), ("restated",)]
    assert_reconciles()


def test_a_total_that_is_read_behind_a_rule_that_catches_it_under_a_new_menu_is_refused(bucket: Path, monkeypatch):
    put_in_force(monkeypatch, with_rule('rules.read("total", "700", as_="0.99")'))
    put(bucket, LUNCH, at("12:00", "card", "700"))
    monkeypatch.setenv("T3_LIMIT_PENCE", "100000")
    take_in()
    assert sales() == [(3, 1, 99)]
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,7", "3,Feast,Mexican,200", header=MENU)
    with pytest.raises(RuleError, match="1 of these rows is rejected above by decimal_shift: put this cell above it"):
        take_in()
    assert sales() == [(3, 1, 99)]


def details(folder: Path, card_reader: str) -> None:
    """Write a details.xlsx of one truck."""
    book = openpyxl.Workbook()
    book.active.title = "trucks"
    book.active.append(["ID", "NAME", "DESCRIPTION", "HAS_CARD_READER", "FSA_RATING_22"])
    book.active.append([3, "Burrito Madness", "Mexican", card_reader, 5])
    (folder / "metadata").mkdir(exist_ok=True)
    book.save(folder / "metadata/details.xlsx")
