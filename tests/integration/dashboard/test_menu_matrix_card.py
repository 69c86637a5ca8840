"""The matrix of dishes and the effects of price changes, as chart and tables of a tab."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.dashboard import download
from t3lib.dashboard.html import static_page
from t3lib.dashboard.state import State
from t3lib.dashboard.tabs import TabContext, chart, sheet
from t3lib.metrics import Scope
from tests.support.pages import HOSTILE, SUNDAY, charge, loaded, offer, shown, sold, table_rows

MONDAY = SUNDAY - timedelta(days=13)  # two weeks with the last chosen day
WEEKS = Scope(MONDAY, SUNDAY)
QUERY = f"from={MONDAY}&to={SUNDAY}&tab=menus"


@pytest.fixture
def menu(database: str) -> str:
    """For two weeks a truck sells 50 dishes a day of the four of a menu, and one more at another truck; the burrito
    was cheaper and the soda at its price before."""
    with warehouse.connect() as db:
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, :name)"),
            {"name": HOSTILE},
        )
        charge(db, "vat", 20)
        offer(db, 1, HOSTILE, 500, 100, until=MONDAY)
        offer(db, 1, HOSTILE, 600, 100, first=MONDAY)
        offer(db, 1, "Soda", 300, 50, until=MONDAY)
        offer(db, 1, "Soda", 360, 100, first=MONDAY)
        offer(db, 1, "Lobster", 1200, 200)
        offer(db, 1, "Nachos", 240, None)
        offer(db, 1, "Water", 360, 50, until=date(2025, 11, 1))
        offer(db, 2, "Soup", 500, 100)
        for n in range(28):
            day = SUNDAY - timedelta(days=n)
            prices = {600: 25, 360: 15} if day >= MONDAY else {500: 30, 300: 15}
            sold(db, 1, day, {**prices, 1200: 6, 240: 4})
            sold(db, 2, day, {500: 20})
        loaded(db, "2025-11-23 18:20+00")
    return database


def tab(scope: Scope, **state: Any) -> tuple[str, dict | None]:
    context = TabContext(State(tab="menus", **state), scope)
    with warehouse.connect() as db:
        drawn = chart(db, context)
        return sheet(db, context), drawn[0] if drawn else None


def test_dishes_stand_with_their_class_and_what_would_move_them(menu: str):
    html, option = tab(WEEKS)
    rows = table_rows(html)
    assert [HOSTILE, "Burrito Madness", "star", "", "25.0", "50.0%", "£6.00", "£4.00", "£3.87"] in rows
    assert ["Soda", "Burrito Madness", "plowhorse", "£2.78 more margin: star", "15.0", "30.0%", "£3.60", "£2.00",
            "£3.87"] in rows  # fmt: skip
    assert ["Lobster", "Burrito Madness", "puzzle", "3.4 more a day: star", "6.0", "12.0%", "£12.00", "£8.00",
            "£3.87"] in rows  # fmt: skip
    assert ["Nachos", "Burrito Madness", "no unit cost", "needs unit_cost in metadata/menu.csv", "4.0", "8.0%", "£2.40",
            "–", "£3.87"] in rows  # fmt: skip
    assert "1 without a unit cost" in html
    assert HOSTILE not in html
    assert option is not None
    assert HOSTILE not in str(option["series"][0]["data"][0]["tooltip"])


def test_the_chart_has_a_dot_per_dish_with_a_class_and_both_lines(menu: str):
    _, option = tab(WEEKS, trucks=())
    assert option is not None
    dots = {one["name"]: [dot["value"] for dot in one["data"]] for one in option["series"]}
    assert dots == {"Stars": [[200.0, 0.13], [100.0, 0.0]], "Plowhorses": [[120.0, -1.87]],
                    "Puzzles": [[48.0, 4.13]], "Dogs": []}  # fmt: skip
    assert option["series"][0]["markLine"]["data"] == [{"xAxis": 70.0}, {"yAxis": 0}]


def test_a_price_change_stands_with_its_effect_or_why_there_is_none(menu: str):
    html, _ = tab(WEEKS)
    rows = table_rows(html)
    # 30 a day at £5.00, then 25 at £6.00; the others sold as before.
    assert [HOSTILE, "Burrito Madness", "Mon 10 Nov", "£5.00 → £6.00", "30.0 → 25.0", "-5.0 -5.0 to -5.0",
            "£0.00 £0.00 to £0.00", "+£5.00 +£5.00 to +£5.00",
            "Compared with 1 truck without a price change."] in rows  # fmt: skip
    assert '<td class="t3-change down t3-number">-5.0 <br>' in html
    assert ["Soda", "Burrito Madness", "Mon 10 Nov", "£3.00 → £3.60", "15.0 → 15.0", "0.0 0.0 to 0.0"] in [
        row[:6] for row in rows]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"payments": ("card",), "first": SUNDAY - timedelta(days=60)}, "choose at most 35 days"),
        ({"locations": (0,)}, "whole trucks, all payments and whole days only"),
        ({"trucks": (9,)}, "No truck with a menu traded in this choice."),
        ({"first": SUNDAY - timedelta(days=500)}, "Effects of prices are read by day: choose at most 366 days."),
    ],
)
def test_a_filter_that_cannot_be_obeyed_is_refused_in_words(menu: str, filters: dict, said: str):
    html, _ = tab(Scope(**{"first": MONDAY, "last": SUNDAY, **filters}))
    assert said in html


def test_places_have_a_matrix_of_their_own(menu: str):
    assert "Menu matrix by place" in tab(WEEKS)[0]
    assert "which truck was at which place" in tab(WEEKS)[0]
    with warehouse.connect() as db:
        db.execute(sa.text("INSERT INTO core.location VALUES (5, 'Market')"))
        db.execute(sa.text("INSERT INTO core.pitch VALUES (1, 5, '2025-11-23', '2025-11-24')"))
        sold(db, 1, SUNDAY, {1200: 9}, place=5)
    rows = table_rows(tab(WEEKS)[0])
    assert ["Lobster", "Market", "Burrito Madness", "star", "", "9.0", "100.0%", "£12.00", "£8.00", "£8.00"] in rows


def test_without_a_menu_the_cards_name_the_file(database: str):
    html, option = tab(WEEKS)
    assert html.count("This needs metadata/menu.csv with unit_cost.") == 1
    assert "No dish changed its price" in html
    assert option is None


def test_the_page_shows_the_chart_on_its_tab_alone_and_before_any_script(menu: str):
    page = shown(QUERY)
    assert page.tab_card.layout.display == ""
    assert "Menu matrix" in page.tab_title.value
    html = static_page.page(page.view, "", page.sheet.value, None, (page.tab_title.value, page.tab_chart.option))
    assert html.count("<circle") == 4
    text = download.rows(page.view, page.sheet.value)
    assert '"Soda","Burrito Madness","plowhorse","£2.78 more margin: star",15.0' in text
    assert "-5.0 -5.0 to -5.0" in text
    page.controls.tab.value = "money"
    assert (page.tab_card.layout.display, page.tab_chart.option) == ("none", {})
