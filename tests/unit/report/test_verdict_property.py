"""No figures make a verdict that contradicts them: the sentence is read back and compared."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t3lib.report.words import half_away
from tests.support.reporting import figures, totals, typical, verdict

pytestmark = pytest.mark.slow  # it tries 400 days

PENCE = st.integers(0, 5_000_000)
SALES = st.integers(0, 5_000)
EDITION = st.sampled_from(["cfo", "culinary", "cfo_week"])
_SIDE = r"(?:(\d[\d,]*)% (above|below)|in line with)"


def some(pence, sales):
    """As many pence and sales as a day can have: none of the one without the other."""
    return totals(pence, sales) if pence and sales else totals(0, 0)


def change_of(match):
    """A sentence's change in percent; None for 'in line'."""
    if match[1] is None:
        return None
    size = int(match[1].replace(",", ""))
    return size if match[2] == "above" else -size


def check(said, now, before, flat):
    """What is said of a change is the change, rounded, or it is too small to be named."""
    pct = half_away(100 * (now - before) / before)
    assert (said is None and abs(pct) < max(flat, 1)) or said == pct


@settings(max_examples=400, deadline=None)
@given(PENCE, SALES, PENCE, SALES, PENCE, SALES, EDITION)
def test_no_verdict_contradicts_its_figures(pence, sales, pence_before, sales_before, pence_usual, sales_usual, name):
    now, before, usual = some(pence, sales), some(pence_before, sales_before), some(pence_usual, sales_usual)
    day = figures(now, before, typical(usual.gross_sales_pence, usual.transactions), edition_name=name)
    measure, flat, said = day.edition.measure, day.edition.flat_pct, verdict(day)
    if not now.transactions:
        assert said.headline_text.startswith("No sales are recorded")
        assert verdict(day).subject_text.endswith(": no sales")
        return
    taken, then, mean = (getattr(one, measure) for one in (now, before, usual))
    amount = f"£{taken / 100:,.2f} taken" if measure == "gross_sales_pence" else f"{taken:,} sale"
    assert said.headline_text.startswith(amount)
    found = re.search(rf"{_SIDE} a usual", said.headline_text)
    assert bool(found) == bool(mean)
    if found:
        check(change_of(found), taken, mean, flat)
        week = re.search(rf"That is {_SIDE}", said.sentences_text)
        assert bool(week) == bool(then)
        if week:
            check(change_of(week), taken, then, flat)
        _count(said.sentences_text, now, usual, flat)


def _count(reason, now, usual, flat):
    """More, fewer or as many sales are said where there are more, fewer or about as many."""
    pct = half_away(100 * (now.transactions - usual.transactions) / usual.transactions)
    assert ("More sales" in reason) == (pct >= max(flat, 1))
    assert ("Fewer sales" in reason) == (pct <= -max(flat, 1))
    ticket = half_away(100 * (now.average_ticket_pence - usual.average_ticket_pence) / usual.average_ticket_pence) if (
        usual.average_ticket_pence
    ) else 0  # fmt: skip
    assert ("ticket was higher" in reason) == (ticket >= max(flat, 1))
    assert ("ticket was lower" in reason) == (ticket <= -max(flat, 1))
