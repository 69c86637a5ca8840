"""Text to pence, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t3lib.money import parse_pence, pounds
from tests.support import oracle


@pytest.mark.parametrize(
    ("text", "pence"),
    [("7", 700), ("9.6", 960), ("8.70", 870), ("12.99", 1299), ("0.99", 99), (" 5.00 ", 500), ("£7.50", 750),
     ("7,50", 750), ("1,234.50", 123450), ("1,234", 123400), ("9.600", 960), (".5", 50), ("5.", 500), ("+3", 300),
     ("5 GBP", 500), ("£ 5", 500)],
)  # fmt: skip
def test_an_amount_is_read_to_the_penny(text, pence):
    assert parse_pence(text) == (pence, None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "missing_total"), ("", "missing_total"), ("blank", "missing_total"), ("NULL", "missing_total"),
     ("nan", "missing_total"), ("VOID", "void"), (" void ", "void"), ("ERR", "error_marker"), ("0", "zero"),
     ("0.00", "zero"), ("-0", "zero"), ("-5.00", "negative"), ("-£3", "negative"), ("1e3", "not_a_number"),
     ("12,34,5", "not_a_number"), ("1,234,50", "not_a_number"), ("9" * 5000, "not_a_number"),
     ("8.70" + "0" * 40 + "1", "not_a_number"),
     ("7,5000", "not_a_number"), ("seven", "not_a_number"), ("£", "not_a_number"),
     ("٣", "not_a_number"), ("5.5.5", "not_a_number"), ("#REF!", "not_a_number")],
)  # fmt: skip
def test_what_is_no_price_says_why(text, reason):
    assert parse_pence(text)[:2] == (None, reason)


def test_a_fraction_of_a_penny_is_refused_with_the_nearest_price_suggested():
    assert parse_pence("8.700000000000001") == (None, "not_a_number", 870)


@given(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999.99"), places=2))
def test_every_price_agrees_with_decimal_arithmetic(price):
    assert parse_pence(str(price)) == (int(price * 100), None, None)


@pytest.mark.slow  # it tries hundreds of texts
@given(st.text(max_size=30))
def test_any_text_ends_in_a_price_or_a_reason(text):
    pence, reason, _ = parse_pence(text)
    assert (pence is None) != (reason is None)


PIECES = st.sampled_from(["£", "GBP", "gbp ", "-", "+", " ", "\xa0", ",", ".", "0", "00", "7", "12", "345", "000", "e3",
                          "VOID", "Err", "null", "x", "٣", "½"])  # fmt: skip


@pytest.mark.slow  # it tries hundreds of texts
@given(st.lists(PIECES, max_size=7).map("".join))
@settings(max_examples=1000)
def test_any_spelling_is_read_as_the_oracle_reads_it(text):
    assert parse_pence(text)[:2] == oracle.pence(text)


@given(st.integers(1, 10**12), st.sampled_from(["{}", "£{}", " {} ", "{} GBP", "+{}", "gbp{}", "{}0", "{}000000"]))
def test_every_amount_survives_being_written_in_any_usual_way(pence, style):
    text = style.format(f"{pence // 100:,}.{pence % 100:02d}")
    assert parse_pence(text)[0] == oracle.pence(text)[0] == pence


def test_pounds_are_written_as_britons_write_them():
    assert [pounds(p) for p in (123450, -300, 5, 0, None)] == ["£1,234.50", "-£3.00", "£0.05", "£0.00", "–"]
    assert pounds(123450, whole=True) == "£1,235"
