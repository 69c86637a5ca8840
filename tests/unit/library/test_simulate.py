"""What the simulator's parts promise, without files."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from t3lib.simulate import simulate
from t3lib.simulate.demand import Sales, day_sales, off_the_road
from t3lib.simulate.dirt import ACCEPTED, REASONS, price_text, write_down
from t3lib.simulate.files import csv_body, sales_key, stamp_text, utc_minute
from t3lib.simulate.fleet import KINDS, location, truck
from t3lib.simulate.plan import Feed
from t3lib.simulate.uploads import day_rows, day_uploads

FRIDAY = date(2026, 11, 6)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def sold(*minutes: int) -> Sales:
    """Sales of the first item, paid by card, at these local minutes."""
    count = len(minutes)
    return Sales(np.array(minutes, dtype=np.int64), np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool))


def test_clean_sales_are_written_as_the_tills_write_them():
    rows = write_down(sold(12 * 60, 12 * 60 + 1), KINDS[0], FRIDAY, seed=1, dirt=0)
    assert csv_body(rows, FRIDAY).decode() == (
        "timestamp,type,total\n2026-11-06 12:00:00+00:00,card,7\n2026-11-06 12:01:00+00:00,card,7\n"
    )


@pytest.mark.parametrize(("pence", "text"), [(700, "7"), (960, "9.6"), (1299, "12.99"), (99, "0.99"), (1000, "10")])
def test_prices_are_written_without_trailing_zeros(pence, text):
    assert price_text(pence) == text


@pytest.mark.parametrize(
    ("day", "stamp"),
    [
        (date(2026, 10, 24), "2026-10-24 08:00:00+00:00"),
        (date(2026, 10, 25), "2026-10-25 09:00:00+00:00"),
        (date(2026, 3, 28), "2026-03-28 09:00:00+00:00"),
        (date(2026, 3, 29), "2026-03-29 08:00:00+00:00"),
    ],
)
def test_nine_o_clock_follows_the_clock_changes(day, stamp):
    assert stamp_text(utc_minute(day, 9 * 60)) == stamp


def test_sale_after_midnight_belongs_to_the_evening_before():
    assert stamp_text(utc_minute(date(2026, 10, 24), 24 * 60 + 20)) == "2026-10-24 23:20:00+00:00"


def test_months_and_days_are_padded_only_on_request():
    assert sales_key(3, date(2026, 3, 5), 12, "B4") == "trucks/2026-3/5/12/T3_T3_B4.csv"
    assert sales_key(3, date(2026, 3, 5), 12, "B4", padded=True) == "trucks/2026-03/05/12/T3_T3_B4.csv"


def test_same_seed_gives_the_same_day_and_another_seed_another():
    first, again, other = (csv_body(day_rows(2, FRIDAY, Feed(seed)), FRIDAY) for seed in (1, 1, 2))
    assert first == again != other


def test_no_dirt_means_no_spoilt_row():
    rows = day_rows(6, FRIDAY, Feed(dirt=0))
    assert (rows.reason == ACCEPTED).all()
    assert not rows.flagged.any()


def test_every_reason_occurs_and_spoilt_rows_have_their_share():
    rows = day_rows(1, FRIDAY, Feed(sales_per_day=30_000))
    rejected = rows.rejected()
    assert set(rejected) == set(REASONS)
    assert rejected.total() / len(rows) == pytest.approx(0.076, abs=0.004)
    assert rejected["decimal_shift"] / len(rows) == pytest.approx(0.005, abs=0.001)


def test_card_sales_at_a_truck_without_reader_are_flagged_but_good():
    rows = day_rows(6, FRIDAY, Feed(sales_per_day=3000))
    assert 0 < rows.flagged.sum() < 60
    assert (rows.reason[rows.flagged] == ACCEPTED).all()
    assert all(rows.types[i].strip().lower() == "card" for i in np.flatnonzero(rows.flagged))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_decimal_shift_of_a_menu_price_is_never_another_price(kind):
    assert len(set(kind.prices)) == len(kind.prices)
    assert not {100 * price for price in kind.prices} & set(kind.prices)
    assert sum(item.weight for item in kind.menu) == pytest.approx(1)


def test_truck_beyond_the_sixth_is_another_of_its_kind():
    assert (truck(8, 1).name, truck(8, 1).menu) == ("Kings of Kebabs 2", truck(2, 1).menu)


def test_festival_brings_the_whole_fleet_to_the_park():
    assert {location(number, date(2026, 11, 21)) for number in range(1, 7)} == {4}
    assert {location(number, date(2026, 11, 14)) for number in range(1, 7)} == {1, 2, 3, 4}


def test_truck_off_the_road_sells_nothing():
    away = next(d for n in range(1, 85) if off_the_road(KINDS[0], d := date.fromordinal(FRIDAY.toordinal() + n), 1))
    assert len(day_sales(KINDS[0], away, 1)) == 0


def test_files_hold_their_three_hours_and_leave_out_the_evening():
    uploads = day_uploads(2, FRIDAY, Feed(mishaps=False), LATER, None)
    assert [upload.hour for upload in uploads] == [15, 18, 21]
    for upload in uploads:
        assert ((upload.hour - 3) * 60 <= upload.rows.minute).all()
        assert (upload.rows.minute < upload.hour * 60).all()


def test_no_file_arrives_before_its_batch_closes():
    noon = datetime(2026, 11, 6, 12, 0, tzinfo=UTC)
    assert [upload.hour for upload in day_uploads(1, FRIDAY, Feed(mishaps=False), noon, None)] == [12]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trucks": 0},
        {"days": 0},
        {"history_days": 57},
        {"history_days": 56},
        {"dirt": 1.0},
        {"dirt": -0.1},
        {"end": date(2026, 11, 8)},
        {"parts": ("last",)},
    ],
)
def test_impossible_wishes_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"\w+ .*\."):
        simulate(tmp_path / "out", now=datetime(2026, 11, 7, 12, tzinfo=UTC), **wrong)
    assert not (tmp_path / "out").exists()
