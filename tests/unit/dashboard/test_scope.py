"""Scopes and what they are compared with."""

from datetime import date

import pytest

from t3lib.metrics import Scope, change_pct, same_weekdays_before
from t3lib.metrics.sales.totals import half_up

SUNDAY = date(2026, 11, 22)


def test_a_day_is_compared_with_the_same_weekday_of_the_weeks_before():
    weeks = same_weekdays_before(Scope(SUNDAY, SUNDAY, trucks=(3,), until_hour=14), weeks=2)
    assert [week.first for week in weeks] == [date(2026, 11, 15), date(2026, 11, 8)]
    assert all(week.trucks == (3,) and week.until_hour == 14 and week.days == 1 for week in weeks)


@pytest.mark.parametrize(("days", "shift"), [(1, 7), (6, 7), (7, 7), (8, 14), (28, 28), (30, 35)])
def test_a_range_moves_back_by_whole_weeks_and_never_overlaps_itself(days: int, shift: int):
    first = date.fromordinal(SUNDAY.toordinal() - days + 1)
    (before,) = same_weekdays_before(Scope(first, SUNDAY))
    assert (first - before.first).days == shift
    assert before.last < first
    assert before.days == days


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before it starts"):
        Scope(SUNDAY, date(2026, 11, 21))


def test_an_hour_that_no_clock_shows_is_refused():
    with pytest.raises(ValueError, match="0 to 23"):
        Scope(SUNDAY, SUNDAY, until_hour=24)


def test_pence_are_rounded_half_up_and_nothing_is_divided_by_nothing():
    assert half_up(5, 2) == 3
    assert half_up(1001, 2) == 501
    assert half_up(10, 3) == 3
    assert half_up(0, 0) is None


def test_change_has_no_figure_where_there_was_nothing_before():
    assert change_pct(150, 100) == 50
    assert change_pct(150, 0) is None
    assert change_pct(None, 100) is None
