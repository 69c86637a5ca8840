"""Tables of cards as they are downloaded."""

from decimal import Decimal

import pytest

from t3lib.dashboard.html.cards import Cell, chart_table, message_card, table, title
from t3lib.dashboard.html.tables import tables, value
from t3lib.dashboard.html.tiles import definition
from t3lib.metrics.spreadsheet import inert


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("£1,234.50", Decimal("1234.50")), ("-£3.00", Decimal("-3.00")), ("−£3", Decimal(-3)), ("1,234", 1234),
        ("0", 0), ("12.3%", "12.3%"), ("▲ 2.0% up", "▲ 2.0% up"), ("13:00–14:00", "13:00–14:00"), ("–", "–"), ("", ""),
        ("1,2", "1,2"), ("£", "£"), ("+2", 2), ("007", "007"), ("1e5", "1e5"), ("2026", "2026"), ("1/2", "1/2"),
        ("£007", "£007"), ("= level", "level"), ("= half", "= half"),
    ],
)  # fmt: skip
def test_money_and_counts_become_numbers_and_nothing_else(text: str, number: object):
    assert value(text) == number
    assert type(value(text)) is type(number)


def test_names_are_those_of_the_cards_and_hidden_texts_are_left_out():
    seen = '<span aria-hidden="true">!<br></span><span class="t3-unseen">held</span>'
    html = (
        title("Card &amp; cash" + definition("card_share_pct"), "<span>aside</span>")
        + table("x", ("Truck", "Sales"), [("A <b>", "£1.00"), (Cell(seen, html=True), "2")], numbers=(1,))
        + title("By week")
        + chart_table("y", ("Week",), [("2 Nov",)])
    )
    first, second = tables(html)
    assert (first.notes, second.notes) == (["aside"], [])
    assert (first.name, first.rows) == ("Card & cash", [["Truck", "Sales"], ["A <b>", Decimal("1.00")], ["held", 2]])
    assert (second.name, second.rows) == ("By week", [["Week"], ["2 Nov"]])


def test_a_name_stays_text_in_every_column():
    html = title("Menu types") + table("x", ("Type", "Sales"), [("12", "12"), ("007", "7"), ("1,234", "1,234")], (1,))
    html += title("Largest") + table("y", ("Measure", "Value"), [("Truck", Cell("12", "t3-text"))], numbers=(1,))
    types, largest = tables(html)
    assert types.rows[1:] == [["12", 12], ["007", 7], ["1,234", 1234]]
    assert largest.rows[1:] == [["Truck", "12"]]


def test_a_card_without_a_table_says_why_in_the_file_too():
    (found,) = tables(message_card("Places", "This needs metadata/pitches.csv."))
    assert (found.name, found.rows, found.notes) == ("Places", [], ["This needs metadata/pitches.csv."])


def test_texts_that_spreadsheets_run_or_cannot_hold_are_made_inert():
    assert [inert(text) for text in ("=1+1", "+44", "-5", "@x", "007", "1e5", "a\x0bb")] == [
        "'=1+1", "'+44", "'-5", "'@x", "007", "1e5", "a\N{REPLACEMENT CHARACTER}b",
    ]  # fmt: skip
