"""The dashboard's page without a browser: what it shows, takes, refuses and survives."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import ipywidgets as w
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from t3lib import business_day, warehouse
from t3lib.dashboard import download
from t3lib.dashboard.html import static_page, tiles
from t3lib.dashboard.state import State, parse
from t3lib.dashboard.state import scope as scope_of
from t3lib.dashboard.widgets.display import _scoped
from tests.support.pages import SUNDAY, loaded, sell, shown


def _values(widget: w.Widget) -> list[str]:
    mine = [widget.value] if isinstance(widget, w.HTML) else []
    return mine + [value for child in getattr(widget, "children", ()) for value in _values(child)]


def test_tiles_hold_the_figures_of_the_database(fleet: str):
    page = shown()
    assert ">£14.00<" in page.tiles[0].value
    assert ">3<" in page.tiles[1].value
    assert ">£4.67<" in page.tiles[2].value
    assert ">71.4%<" in page.tiles[3].value


def test_day_that_still_trades_is_compared_with_the_same_time(fleet: str):
    with warehouse.connect() as db:
        sell(db, 1, SUNDAY, 12, "cash", 1, 500)
    tile = shown().tiles[0].value
    assert "£19.00" in tile
    assert "By 18:00: £15.00" in tile
    assert "▲ 50.0% up</b> <span>on £10.00, the Sunday before" in tile


def test_choosing_a_truck_in_the_page_changes_figures_and_address(fleet: str):
    page = shown()
    page.controls.trucks.children[1].value = True
    assert page.view.scope.trucks == (1,)
    assert ">£10.00<" in page.tiles[0].value
    assert 'data-query="truck=1"' in page.address.value


def test_choosing_every_truck_is_choosing_all(fleet: str):
    page = shown("truck=1")
    page.controls.trucks.children[2].value = True
    assert page.state.trucks == ()
    assert page.controls.trucks.children[0].value is True


def test_payment_and_range_are_kept_when_the_other_changes(fleet: str):
    page = shown("range=week")
    page.controls.payment.value = "cash"
    assert page.view.scope.first == date(2025, 11, 17)
    assert ">£28.00<" in page.tiles[0].value
    assert page.state.query() == "range=week&payment=cash"


def test_tab_replaces_the_cards_and_keeps_the_choices(fleet: str):
    page = shown("truck=1")
    page.controls.tab.value = "money"
    assert page.state.query() == "truck=1&tab=money"
    assert "Trucks and their share" in page.sheet.value
    assert (page.grid.layout.display, page.sheet.layout.display) == ("none", "")
    assert page.sheet.value in static_page.page(page.view, "", page.sheet.value)
    page.controls.tab.value = "today"
    assert (page.grid.layout.display, page.sheet.layout.display) == ("", "none")


@pytest.mark.parametrize(
    ("compare", "said", "then"),
    [
        ("weekdays", "the Sunday before", "£14.00"),
        ("period", "the day before", "£14.00"),
        ("year", "Nothing to compare with: Saturday 52 weeks before", ""),
        ("none", "", ""),
    ],
)
def test_figures_are_compared_with_what_the_visitor_wants(fleet: str, compare: str, said: str, then: str):
    page = shown("from=2025-11-22" if compare != "weekdays" else "from=2025-11-16")
    page.controls.picks["compare"].widget.value = compare
    tile = page.tiles[0].value
    assert said in tile
    assert (f"on {then}" in tile) == bool(then)
    assert ("t3-change" in tile) == (compare != "none")
    assert page.state.query().endswith("" if compare == "weekdays" else f"compare={compare}")


def test_place_and_menu_type_are_chosen_once_their_files_are_there(fleet: str):
    page = shown()
    assert page.controls.picks["places"].widget.layout.display == "none"
    with warehouse.connect() as db:
        db.execute(
            sa.text("""
                INSERT INTO core.location VALUES (5, 'Market');
                INSERT INTO core.pitch VALUES (1, 5, '2025-01-01', '2026-01-01');
                INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Wraps', 500, 150);
                UPDATE mart.sales_hourly SET location_id = 5 WHERE truck_id = 1;
                INSERT INTO mart.price_hourly VALUES (1, '2025-11-23', 13, 5, 'card', 500, 1),
                    (2, '2025-11-23', 18, 0, 'cash', 500, 1);
            """)
        )
        loaded(db, "2025-11-23 18:20+00")
    page.refresh()
    page.controls.picks["places"].widget.value = (5,)
    assert ">£10.00<" in page.tiles[0].value
    page.controls.picks["menus"].widget.value = ("Wraps",)
    assert ">£5.00<" in page.tiles[0].value
    assert page.state.query() == "place=5&menu=Wraps"
    assert static_page.page(page.view).count("<option>Market</option>") == 1


def test_changing_a_date_makes_a_range_of_ones_own(fleet: str):
    page = shown()
    page.controls.first.value = date(2025, 11, 20)
    assert page.state == State("custom", date(2025, 11, 20), SUNDAY)
    assert page.controls.preset.value is None
    page.controls.last.value = date(2025, 11, 18)
    assert (page.view.scope.first, page.view.scope.last) == (date(2025, 11, 18), date(2025, 11, 20))


def test_clicking_a_day_shows_it_and_clicking_again_all_of_them(fleet: str):
    page = shown()
    page._choose_day(26)
    assert page.view.scope.first == page.view.scope.last == date(2025, 11, 22)
    page._choose_day(27)
    assert (page.view.scope.first, page.view.scope.last) == (date(2025, 10, 26), date(2025, 11, 22))
    page._choose_day(99)
    assert page.view.scope.last == date(2025, 11, 22)


def test_clicking_an_hour_of_a_day_leads_to_its_sales(fleet: str):
    page = shown()
    page._choose_hour(5)
    assert page.state == State("custom", SUNDAY, SUNDAY, hour=18, tab="rows")
    page = shown("range=4weeks")
    page._choose_hour(5)
    assert page.state.tab == "today", "an hour of many days has no sales to list"


@pytest.mark.parametrize("count", [3, 5])
def test_tiles_are_as_many_as_the_measures(fleet: str, monkeypatch: pytest.MonkeyPatch, count: int):
    monkeypatch.setattr(tiles, "MEASURES", (*tiles.MEASURES, tiles.MEASURES[0])[:count])
    page = shown("range=week")
    assert [">£98.00<" in tile.value for tile in page.tiles] == [True, *[False] * (count - 2), count == 5]
    assert static_page.page(page.view, fragments=page.fragments).count("t3-card t3-tile") == count


def test_payment_type_in_the_mix_is_a_link_that_chooses_it(fleet: str):
    assert 'data-choice="payment=cash"' in shown().parts["payments"].value
    assert 'data-choice=""' in shown("payment=cash").parts["payments"].value


def test_truck_in_the_table_is_a_link_that_chooses_it(fleet: str):
    assert 'href="?range=week&amp;truck=1"' in shown("range=week").parts["trucks"].value


def test_download_adds_up_to_the_page_and_runs_in_no_spreadsheet(fleet: str):
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE core.truck SET name = '=HYPERLINK(1)' WHERE truck_id = 2"))
    page = shown("range=week")
    lines = list(csv.DictReader(io.StringIO(download.rows(page.view))))
    assert sum(Decimal(line["gross_sales"]) for line in lines) * 100 == page.view.totals.gross_sales_pence
    assert {line["truck"] for line in lines} == {"Burrito Madness", "'=HYPERLINK(1)"}
    head, *cells = load_workbook(io.BytesIO(download.workbook(page.view)), read_only=True).active.values
    assert head == download.HEAD
    assert sum(Decimal(str(cell[-1])) for cell in cells) * 100 == page.view.totals.gross_sales_pence
    assert [cell[4] for cell in cells] == [line["truck"] for line in lines]


def test_download_of_a_page_with_cards_holds_their_tables(fleet: str):
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE core.truck SET name = '=HYPERLINK(1)' WHERE truck_id = 2"))
    page = shown("range=week&tab=money")
    lines = list(csv.reader(io.StringIO(download.rows(page.view, page.sheet.value))))
    assert lines[0] == ["Trucks and their share"]
    assert lines[1][:4] == ["Truck", "Gross sales", "Share", "Per trading hour"]
    assert lines[2] == ["Burrito Madness", "70.00", "71.4%", "10.00", "", "level"]
    assert lines[3][:2] == ["'=HYPERLINK(1)", "28.00"]
    assert ["Sales by week"] in lines
    book = load_workbook(io.BytesIO(download.workbook(page.view, page.sheet.value)), read_only=True)
    assert book.sheetnames[0] == "1 Trucks and their share"
    table = list(book["1 Trucks and their share"].values)
    assert [row[1] for row in table[1:3]] == [70, 28]
    assert str(table[3][0]).startswith("change on the same days a week before")
    page._download(download.XLSX)
    assert 'download="t3-money-2025-11-17-to-2025-11-23.xlsx"' in page.download.value


@pytest.mark.parametrize(
    "query",
    [
        "",
        "range=month",
        "from=2025-11-01&to=2025-11-05",
        "range=4weeks&truck=1.2&payment=card",
        "tab=menus",
        "place=1.2&menu=Cakes&menu=Hot+%26+cold&compare=year&hour=0&affordable=350&tab=rows",
    ],
)
def test_state_is_restored_from_the_address(query: str):
    assert parse(query).query() == query


@pytest.mark.parametrize(
    "query",
    [
        "range=custom",
        "range=<script>",
        "tab=ops",
        "compare=never&hour=24&affordable=0&place=x",
        "truck=1;DROP TABLE",
        "payment=gold",
        "from=2025-13-40&to=x",
        "from=9999-12-31",
        "%00=%ff",
        "&a=1" * 500,
    ],
)
def test_address_that_makes_no_sense_shows_today(query: str):
    assert parse(query) == State()


def test_truck_that_never_was_is_left_out(fleet: str):
    assert shown("truck=1.777").state.trucks == (1,)
    assert shown("truck=777").state == State()


def test_typed_address_is_checked_in_the_kernel(fleet: str):
    page = shown()
    page.typed.value = "truck=2&payment=' OR 1=1"
    assert page.state == State(trucks=(2,))
    page.typed.value = " "
    assert page.state == State()


def test_range_without_end_is_cut():
    assert scope_of(State("custom", date(2000, 1, 1), date(2025, 1, 1)), SUNDAY, None).days == 3 * 366 + 1


def test_names_are_inert_in_the_first_html_and_in_every_widget(fleet: str):
    page = shown()
    for html in [static_page.page(page.view), *_values(page.widget)]:
        assert "<img" not in html
        assert "</script>" not in html
    assert "&lt;img src=x" in page.parts["trucks"].value


def test_first_html_holds_what_the_widgets_hold(fleet: str):
    page = shown()
    html = static_page.page(page.view)
    for part in [
        page.heading.value,
        *(tile.value for tile in page.tiles),
        *(part.value for part in page.parts.values()),
    ]:
        assert part in html


def test_before_the_first_load_the_page_says_what_to_do(database: str):
    page = shown()
    assert page.body.layout.display == "none"
    assert page.empty.layout.display == ""
    assert "No sales loaded yet" in static_page.page(page.view)


def test_today_without_a_sale_shows_the_latest_day_and_says_so(fleet: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(business_day, "today", lambda now=None: SUNDAY + timedelta(days=2))
    page = shown()
    assert "Sunday 23 November 2025" in page.heading.value
    assert "No sales yet today, Tuesday 25 November 2025" in page.heading.value


def test_page_keeps_to_a_choice_without_sales(fleet: str):
    page = shown("from=2024-01-01&to=2024-01-03")
    assert ">£0.00<" in page.tiles[0].value
    assert "Nothing to compare with" in page.tiles[0].value
    assert "No sales in this choice" in page.parts["heat"].value


def test_many_trucks_are_chosen_by_typing(fleet: str):
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) SELECT n, 'Truck ' || n FROM generate_series(3, 20) n")
        )
    page = shown("truck=3")
    (tags,) = page.controls.trucks.children
    assert tags.value == ["3 Truck 3"]
    tags.value = ["1 Burrito Madness"]
    assert page.state.trucks == (1,)


def test_tables_of_a_large_fleet_list_the_trucks_with_the_most_sales(fleet: str):
    with warehouse.connect() as db:
        for truck in range(100, 160):
            sell(db, truck, SUNDAY, 12, "card", 1, truck)
    page = shown()
    assert "Truck 159 (not in details.xlsx)" in page.parts["trucks"].value
    assert "Truck 100 (not in details.xlsx)" not in page.parts["trucks"].value
    assert "the 40 with the most sales" in page.parts["trucks"].value
    assert page.parts["heat"].value.count("<tr>") == 41
    assert "Truck 100 (not in details.xlsx)" in download.rows(page.view)


def test_in_jupyterlab_the_page_brings_its_style_along():
    assert _scoped().startswith(".t3-scope {")
    assert ":root" not in _scoped()
