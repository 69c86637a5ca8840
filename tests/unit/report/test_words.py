"""Figures as British readers write them."""

import pytest

from t3lib.report import words


@pytest.mark.parametrize(
    ("pence", "text"), [(123_450, "+£1,234.50"), (-300, "−£3.00"), (0, "£0.00"), (None, "–")]
)  # fmt: skip
def test_differences_carry_their_sign(pence, text):
    assert words.signed(pence, "gross_sales_pence") == text


@pytest.mark.parametrize(("count", "text"), [(1234, "+1,234"), (-12, "−12"), (0, "0")])
def test_counts_carry_their_sign(count, text):
    assert words.signed(count, "transactions") == text


@pytest.mark.parametrize(
    ("pct", "text"), [(12.5, "+13%"), (-12.5, "−13%"), (0.4, "0%"), (-0.4, "0%"), (1234.5, "+1,235%"), (None, "–")]
)
def test_changes_are_rounded_as_people_round(pct, text):
    assert words.change(pct) == text


def test_shares_change_in_points():
    assert words.points(65.5, 67.0) == "−1.5 pts"
    assert words.points(65.5, 65.5) == "0.0 pts"
    assert words.points(65.5, None) == "–"


@pytest.mark.parametrize(
    ("hour", "text"),
    [(9, "9–10am"), (11, "11am–12pm"), (12, "12–1pm"), (13, "1–2pm"), (23, "11pm–12am"), (0, "12–1am")],
)
def test_hours_are_spans(hour, text):
    assert words.hour(hour) == text


def test_text_from_outside_becomes_one_harmless_line():
    assert words.line("Eels\r\nBcc: all@example.com\x00\u202e") == "Eels Bcc: all@example.com"
