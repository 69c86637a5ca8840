"""One rule of time, both clock changes included."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t3lib.business_day import bounds, business_date, business_dates

LONDON = ZoneInfo("Europe/London")
START = time(4)


def utc(year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_sale_after_midnight_belongs_to_the_evening_before():
    assert business_date(utc(2026, 11, 6, 0, 30), LONDON, START) == date(2026, 11, 5)
    assert business_date(utc(2026, 11, 6, 4, 0), LONDON, START) == date(2026, 11, 6)


def test_in_summer_the_day_starts_an_hour_earlier_in_utc():
    assert business_date(utc(2026, 7, 6, 2, 59), LONDON, START) == date(2026, 7, 5)
    assert business_date(utc(2026, 7, 6, 3, 0), LONDON, START) == date(2026, 7, 6)


def test_clock_changes_make_days_of_23_and_25_hours():
    hours = [(b - a) / timedelta(hours=1) for a, b in (bounds(date(2026, 3, 28), LONDON, START),
                                                       bounds(date(2026, 10, 24), LONDON, START))]  # fmt: skip
    assert hours == [23, 25]


def test_the_repeated_hour_counts_twice_on_the_same_day():
    stamps = pa.array([utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)], pa.timestamp("us", "UTC"))
    dates, hours = business_dates(stamps, "Europe/London", START)
    assert (dates.to_pylist(), hours.to_pylist()) == ([date(2026, 10, 24)] * 2, [1, 1])


@pytest.mark.slow  # it tries thousands of moments
@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_arrow_and_the_standard_library_agree(moment):
    moment = moment.replace(microsecond=0)
    dates, hours = business_dates(pa.array([moment], pa.timestamp("us", "UTC")), "Europe/London", START)
    assert dates[0].as_py() == business_date(moment, LONDON, START)
    assert hours[0].as_py() == moment.astimezone(LONDON).hour
    first, last = bounds(dates[0].as_py(), LONDON, START)
    assert first <= moment < last


def london(moment: datetime) -> datetime:
    """Local wall clock as the law has it: summer time between the last Sundays of March and October, 01:00 UTC."""

    def last_sunday(month: int) -> datetime:
        day = datetime(moment.year, month, 31, 1, tzinfo=UTC)
        return day - timedelta(days=(day.weekday() + 1) % 7)

    summer = last_sunday(3) <= moment < last_sunday(10)
    return (moment + timedelta(hours=summer)).replace(tzinfo=None)


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24), date(2027, 3, 27), date(2027, 10, 30)])
def test_every_minute_around_a_clock_change_is_where_the_law_puts_it(day):
    first = datetime(day.year, day.month, day.day, tzinfo=UTC)
    moments = [first + timedelta(minutes=minute) for minute in range(3 * 24 * 60)]
    dates, hours = business_dates(pa.array(moments, pa.timestamp("us", "UTC")), "Europe/London", START)
    assert hours.to_pylist() == [london(moment).hour for moment in moments]
    assert dates.to_pylist() == [(london(moment) - timedelta(hours=4)).date() for moment in moments]


@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
       st.times().map(lambda start: start.replace(microsecond=0)))  # fmt: skip
def test_any_start_of_the_day_agrees_with_the_law(moment, start):
    local = london(moment)
    assert business_date(moment, LONDON, start) == local.date() - timedelta(days=local.time() < start)
