"""Pitch fees hold with their stays: a changed fee of the past, or a truck that stood elsewhere, is a restatement."""

import re
from datetime import date
from pathlib import Path

import pytest

from t3lib import metrics, warehouse
from t3lib.metrics import Scope
from t3lib.metrics.money.margins import contributions
from t3lib.warehouse.load import applying
from tests.support.feeding import assert_reconciles, rows
from tests.support.restating import COSTS, COSTS_CSV, FRIDAY, THURSDAY, left, place, restated, sell, upload

PITCHES_CSV, PITCHES = "metadata/pitches.csv", "truck_id,location_id,from,to,event,fee,fee_per,fee_percent"
BEFORE = "2026-11-01 08:00"
AT_THE_FAIR = "1,4,2026-11-05 10:00,2026-11-05 20:00,Fair,{},stay,10"
WHY = f"A new version of {PITCHES_CSV}."
PLACED = f"{WHY} Sales belong to other places now; their sums are as before."


@pytest.fixture
def truck(bucket: Path) -> Path:
    """On Thursday 42 burritos at 7.00, without VAT or goods: 294.00 less 12.00 for one hour, 20.00 and 10% (29.40)."""
    place(bucket, COSTS_CSV, ",wages,12.00,hour,2026-11-01", when=BEFORE, header=COSTS)
    place(bucket, PITCHES_CSV, AT_THE_FAIR.format("20.00"), when=BEFORE, header=PITCHES)
    sell(bucket, THURSDAY, *["7"] * 42)
    return bucket


def by_place(day: date) -> list[tuple[int, int]]:
    with warehouse.connect() as db:
        found = metrics.contribution_by(db, Scope(day, day), "place")
    return list(zip(found["location_id"], found["contribution_pence"], strict=True))


def test_a_fee_is_a_cost_of_its_stay_and_a_later_one_leaves_it_alone(truck: Path):
    assert left(THURSDAY)[1] == 232.60
    assert by_place(THURSDAY) == [(4, 23260)]
    friday = "1,4,2026-11-06 10:00,2026-11-06 20:00,,90.00,day,"
    upload(truck, PITCHES_CSV, AT_THE_FAIR.format("20.00"), friday, when="2026-11-06 07:00", header=PITCHES)
    upload(truck, COSTS_CSV, ",wages,15.00,hour,", when="2026-11-06 07:00", header=COSTS)
    sell(truck, FRIDAY, *["7"] * 10)
    assert left(FRIDAY)[1] == -35.00  # 70.00 - 15.00 - 90.00
    assert left(THURSDAY)[1] == 232.60
    # Friday was over when its pitch became known, and had no sale yet.
    assert restated() == [("metadata", 1, "2026-11-06", 0, -9000, [PITCHES_CSV], "", WHY)]
    assert_reconciles()


def test_a_changed_fee_of_the_past_is_restated_with_contribution_before_and_after(truck: Path):
    upload(truck, PITCHES_CSV, AT_THE_FAIR.format("35.00"), when="2026-11-06 07:00", header=PITCHES)
    assert left(THURSDAY)[1] == 217.60
    assert restated() == [("metadata", 1, "2026-11-05", 23260, 21760, [PITCHES_CSV], "", WHY)]
    upload(truck, PITCHES_CSV, AT_THE_FAIR.format("35.00"), when="2026-11-07 07:00", header=PITCHES)
    assert len(restated()) == 1


def test_a_truck_that_stood_elsewhere_pays_what_is_due_there(truck: Path):
    upload(truck, PITCHES_CSV, "1,5,2026-11-05 10:00,2026-11-05 20:00,,,,25", when="2026-11-06 07:00", header=PITCHES)
    assert left(THURSDAY)[1] == 208.50  # 294.00 - 12.00 - 73.50
    assert by_place(THURSDAY) == [(5, 20850)]
    assert restated() == [("metadata", 1, "2026-11-05", 23260, 20850, [PITCHES_CSV], "", PLACED)]
    assert rows("SELECT count(*) FROM ops.restatement") == [(1,)]
    assert_reconciles()


def test_a_stay_that_is_cut_owes_its_fee_once_and_its_other_days_are_restated(truck: Path):
    week = "1,4,2026-11-04 10:00,2026-11-07 20:00,Fair,30.00,stay,"
    upload(truck, PITCHES_CSV, week, when="2026-11-08 07:00", header=PITCHES)
    assert left(THURSDAY)[1] == 274.50  # 294.00 - 12.00 - 7.50
    cut = "1,5,2026-11-07 04:00,2026-11-07 20:00,,,,"
    upload(truck, PITCHES_CSV, cut, when="2026-11-08 08:00", header=PITCHES)
    assert left(THURSDAY)[1] == 272.00  # the stay has three days now
    assert left(date(2026, 11, 4), date(2026, 11, 7))[1] == 252.00
    assert ("metadata", 1, "2026-11-05", 27450, 27200, [PITCHES_CSV], "", WHY) in restated()
    assert ("metadata", 1, "2026-11-07", -750, 0, [PITCHES_CSV], "", WHY) in restated()  # a day without a sale


def test_two_stays_at_one_place_one_after_the_other_owe_two_fees(truck: Path):
    days = [f"1,4,2026-11-{day:02d} 04:00,2026-11-{day + 1:02d} 04:00,,20.00,stay," for day in (5, 6)]
    upload(truck, PITCHES_CSV, *days, when="2026-11-05 05:00", header=PITCHES)
    assert left(THURSDAY, FRIDAY)[1] == 242.00  # 294.00 - 12.00 - 40.00
    assert rows("SELECT count(*) FROM core.pitch") == [(2,)]


def test_stays_are_listed_with_their_fees(truck: Path, t3):
    code, out, _ = t3("menu", "--list", "pitches")
    assert code == 0
    assert re.search(r"1  Place 4  Fair +£20.00 a stay and 10% of sales  2026-11-05 10:00  2026-11-05 20:00", out)


def test_pitches_applied_to_the_past_take_the_fee_out_too(truck: Path):
    later = "1,6,2026-11-09 10:00,2026-11-09 20:00,,,,"
    upload(truck, PITCHES_CSV, later, when="2026-11-06 08:00", header=PITCHES)
    assert left(THURSDAY)[1] == 232.60
    with warehouse.connect() as db:
        done = applying.apply(db, "pitches", THURSDAY, contributions, actor="Ann", why="It stayed at home.")
    assert done.truck_days == 1
    assert left(THURSDAY)[1] == 282.00
    assert restated() == [("applied", 1, "2026-11-05", 23260, 28200, [PITCHES_CSV], "Ann", "It stayed at home.")]
