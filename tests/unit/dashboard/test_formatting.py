"""Dates and figures in words."""

from datetime import UTC, date, datetime

import pytest

from t3lib.dashboard import formatting
from t3lib.metrics import Scope

SUNDAY = date(2025, 11, 23)


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (SUNDAY, "Sunday 23 November 2025"),
        (date(2025, 10, 27), "27 October – 23 November 2025"),
        (date(2024, 12, 1), "1 December 2024 – 23 November 2025"),
    ],
)
def test_period_names_the_year_once(first: date, text: str):
    assert formatting.period(Scope(first, SUNDAY)) == text


def test_comparison_names_the_time_only_once_the_day_has_begun():
    day = Scope(SUNDAY, SUNDAY)
    assert formatting.compared_with(day, 13) == "the Sunday before, by 13:00"
    assert formatting.compared_with(day, 4) == formatting.compared_with(day, None) == "the Sunday before"
    assert formatting.compared_with(Scope(date(2025, 11, 10), SUNDAY), None) == "the same weekdays 2 weeks before"


def test_moments_are_local_and_shorter_the_nearer_they_are():
    summer = datetime(2025, 7, 6, 12, 5, tzinfo=UTC)
    assert formatting.clock(summer, date(2025, 7, 6)) == formatting.last_seen(summer, date(2025, 7, 6)) == "13:05"
    assert formatting.clock(summer, date(2025, 7, 8)) == "Sun 6 Jul 13:05"
    assert formatting.last_seen(summer, date(2025, 7, 8)) == "Sun 13:05"
    assert formatting.last_seen(summer, date(2025, 8, 8)) == "6 Jul"
    assert formatting.clock(None, SUNDAY) == "never"
