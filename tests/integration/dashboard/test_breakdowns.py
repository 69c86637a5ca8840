"""A breakdown of `t3lib.metrics` as a card of a tab."""

import re
from datetime import date
from html import unescape

import pandas as pd
import pytest

from t3lib import metrics
from t3lib.dashboard.state import State, parse
from t3lib.dashboard.tabs import TabContext, breakdowns, sheet
from t3lib.dashboard.tabs.breakdowns import Breakdown
from tests.support.pages import HOSTILE, SUNDAY, table_rows

DAY = metrics.Scope(SUNDAY, SUNDAY)


@pytest.fixture
def shown(db, fleet, monkeypatch):
    """The tab of data with the cards of two breakdowns, for a choice."""
    cards = (Breakdown("data", "By truck", "by_truck", "gross_sales_pence"),
             Breakdown("data", "Price list", "by_price", "price_pence"))  # fmt: skip
    monkeypatch.setattr(breakdowns, "BREAKDOWNS", cards)
    return lambda **choice: sheet(db, TabContext(State(tab="data"), metrics.Scope(SUNDAY, SUNDAY, **choice)))


def test_a_breakdown_is_a_card_with_its_definition_and_links_of_trucks(shown):
    html = shown()
    assert ["Truck", "Transactions", "Gross sales", "Average ticket"] in table_rows(html.replace("th>", "td>"))
    assert ["Burrito Madness", "2", "£10.00", "£5.00"] in table_rows(html)
    assert [HOSTILE, "1", "£4.00", "£4.00"] in table_rows(html)
    assert HOSTILE not in html
    assert 'data-choice="truck=1&amp;tab=data"' in html
    assert "What customers paid in accepted sales" in html


def test_a_long_breakdown_is_turned_page_by_page(shown, db, monkeypatch):
    monkeypatch.setattr(breakdowns, "MOST_ROWS", 1)
    first = shown()
    assert ["Burrito Madness", "2", "£10.00", "£5.00"] in table_rows(first)
    assert [HOSTILE, "1", "£4.00", "£4.00"] not in table_rows(first)
    (query,) = re.findall(r'data-choice="([^"]*page.bytruck=2)"', first)
    second = sheet(db, TabContext(parse(unescape(query)), DAY))
    assert [HOSTILE, "1", "£4.00", "£4.00"] in table_rows(second)


def test_a_filter_is_obeyed_or_refused_in_words(shown):
    html = shown(payments=("card",))
    assert ["Burrito Madness", "2", "£10.00", "£5.00"] in table_rows(html)
    assert [HOSTILE, "0", "£0.00", "–"] in table_rows(html)
    assert "Prices are kept by day and truck: choose all places and payments, and whole days." in html


def test_values_are_written_as_people_read_them():
    table = pd.DataFrame({"truck": ["Eels"], "local_hour": [9], "trading_days": [1200], "season_index": [101.26],
                          "share_pct": [40.44], "first_sale_on": [date(2026, 11, 5)], "is_new": [True],
                          "margin_pct": [None]})  # fmt: skip
    assert breakdowns.texts(table) == [["Eels", "09:00–10:00", "1,200", "101.3", "40.4%", "2026-11-05", "yes", "–"]]
    assert "&lt;b&gt;Eels" in breakdowns.preview("Best hour", table.assign(truck="<b>Eels"))
