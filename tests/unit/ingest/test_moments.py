"""Stamps as trucks write them, beside the standard library's reading."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t3lib.feed.moments import parse_moment, parse_moments
from tests.support import oracle

OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=OFFSETS)
STYLES = st.sampled_from(["%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M%z", " %Y-%m-%d %H:%M:%S %z "])


@given(MOMENTS, STYLES)
def test_every_offset_is_honoured_to_the_second(moment, style):
    text = moment.strftime(style)
    moment = moment.replace(microsecond=0, second=moment.second if "%S" in style else 0)
    assert parse_moment(text) == oracle.moment(text).timestamp() == moment.timestamp()


@given(MOMENTS.map(lambda moment: moment.astimezone(UTC).replace(microsecond=0)))
def test_a_stamp_without_an_offset_is_utc(moment):
    for text in (f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S} UTC"):
        assert parse_moment(text) == moment.timestamp()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_clock_change_moves_no_stamp(day):
    first = datetime.fromisoformat(f"{day}T00:00:00Z")
    minutes = [first + timedelta(minutes=minute) for minute in range(24 * 60)]
    seconds, bad = parse_moments(pa.array([f"{minute:%Y-%m-%d %H:%M:%S}" for minute in minutes]))
    assert seconds.tolist() == [minute.timestamp() for minute in minutes]
    assert not bad.any()


PIECES = st.sampled_from(
    ["2026", "-", "11", "05", " ", "T", "10", ":", "00", "+", "01", "Z", "UTC", ".5", "99", "0001"]
)


@pytest.mark.slow  # it tries hundreds of texts
@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=25))
@settings(max_examples=1000)
def test_whatever_is_read_is_what_the_oracle_reads(text):
    if (seconds := parse_moment(text)) is not None:
        assert seconds == int(oracle.moment(text).timestamp())


@pytest.mark.parametrize("text", ["0001-01-01 00:00+14:00", "9999-12-31 23:59-14:00", "2026-02-30 10:00", "2026-11-05"])
def test_a_stamp_beyond_the_calendar_is_unreadable(text):
    assert parse_moment(text) is None
