"""Tables of cards as they are downloaded."""

from decimal import Decimal

import pytest

from t3lib.dashboard.cards import Cell, behind, table, title
from t3lib.dashboard.tables import tables, value
from t3lib.dashboard.tiles import definition


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("£1,234.50", Decimal("1234.50")), ("-£3.00", Decimal("-3.00")), ("−£3", Decimal(-3)), ("1,234", 1234),
        ("0", 0), ("12.3%", "12.3%"), ("▲ 2.0% up", "▲ 2.0% up"), ("13:00–14:00", "13:00–14:00"), ("–", "–"), ("", ""),
        ("1,2", "1,2"), ("£", "£"),
    ],
)  # fmt: skip
def test_money_and_counts_become_numbers_and_nothing_else(text: str, number: object):
    assert value(text) == number
    assert type(value(text)) is type(number)


def test_names_are_those_of_the_cards_and_hidden_texts_are_left_out():
    seen = '<span aria-hidden="true">!<br></span><span class="t3-unseen">held</span>'
    html = (
        title("Card &amp; cash" + definition("card_share_pct"), "<span>aside</span>")
        + table("x", ("Truck", "Sales"), [("A <b>", "£1.00"), (Cell(seen, html=True), "2")])
        + title("By week")
        + behind("y", ("Week",), [("2 Nov",)])
    )
    first, second = tables(html)
    assert (first.name, first.rows) == ("Card & cash", [["Truck", "Sales"], ["A <b>", Decimal("1.00")], ["held", 2]])
    assert (second.name, second.rows) == ("By week", [["Week"], ["2 Nov"]])
