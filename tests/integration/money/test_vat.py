"""VAT by rate and dish, and what a return takes of it, by hand-worked amounts."""

from datetime import date
from pathlib import Path

import pytest

from t3lib import business_day, metrics, warehouse
from t3lib.metrics import Scope
from t3lib.problems import RefusedError
from t3lib.settings import settings
from tests.support.feeding import at, put, rows, take_in
from tests.support.restating import (
    COSTS,
    COSTS_CSV,
    FRIDAY,
    MENU_CSV,
    THURSDAY,
    left,
    place,
    restated,
    sell,
    upload,
)

RATED = "truck_id,menu_item,menu_type,price,unit_cost,vat,from,to"
VAT_20 = ",vat,20,percent,2026-11-01"


def by_rate(first: date = THURSDAY, last: date | None = None) -> list[tuple]:
    """(truck, rate, gross, VAT, of several rates) of each truck and rate; a missing value is None."""
    with warehouse.connect() as db:
        found = metrics.vat_by_rate(db, Scope(first, last or first)).astype(object)
    found = found.where(found.notna(), None)
    return [(r.truck_id, r.vat_rate_pct, r.gross_sales_pence, r.vat_pence, r.mixed_pence) for r in found.itertuples()]


def returned(quarter: str = "2026-Q4") -> metrics.VatReturn:
    with warehouse.connect() as db:
        return metrics.vat_return(db, metrics.quarter(quarter))


@pytest.fixture
def shop(bucket: Path) -> Path:
    """Burritos at 20 percent by costs.csv, soup at 5 and bread at 0 by menu.csv."""
    place(bucket, COSTS_CSV, VAT_20, when="2026-11-01 08:00", header=COSTS)
    place(bucket, MENU_CSV, "1,Burrito,Mexican,7.00,1.50,,,", "1,Soup,Cold,4.20,1.00,5,,", "1,Bread,Cold,3.00,,0%,,",
          when="2026-11-01 08:00", header=RATED)  # fmt: skip
    return bucket


def test_each_dish_has_its_own_rate_and_the_others_that_of_the_costs(shop: Path):
    sell(shop, THURSDAY, "7", "7", "7", "4.20", "3", "3", "9.99")  # nothing on the menu costs 9.99
    assert by_rate() == [(1, 20.0, 3099, 517, 0), (1, 5.0, 420, 20, 0), (1, 0.0, 600, 0, 0)]
    # 41.19 of sales, 5.50 of goods, and 5.17 + 0.20 of VAT: 30.99 / 6 = 5.165
    assert left(THURSDAY) == (5.50, 30.32, 15.99)


def test_a_day_is_rounded_once_and_its_trucks_sum_to_it(bucket: Path):
    place(bucket, COSTS_CSV, VAT_20, when="2026-11-01 08:00", header=COSTS)
    sell(bucket, THURSDAY, "1")
    sell(bucket, THURSDAY, "1", truck=2)
    sell(bucket, FRIDAY, "1")
    # 2.00 / 6 = 0.33 on Thursday, of which each truck has 16.67 pence; 0.17 on Friday, so 0.50 together
    assert by_rate() == [(1, 20.0, 100, 17, 0), (2, 20.0, 100, 16, 0)]
    assert by_rate(THURSDAY, FRIDAY) == [(1, 20.0, 200, 34, 0), (2, 20.0, 100, 16, 0)]
    with warehouse.connect() as db:
        week = Scope(THURSDAY, FRIDAY)
        assert metrics.contribution(db, week).costs == {"vat": 50}
        assert metrics.contribution_by_truck(db, week)["variable_costs_pence"].tolist() == [34, 16]


def test_of_equal_remainders_the_larger_truck_has_the_penny(bucket: Path):
    place(bucket, COSTS_CSV, VAT_20, when="2026-11-01 08:00", header=COSTS)
    sell(bucket, THURSDAY, *["49"] * 30, "30.02")
    sell(bucket, THURSDAY, "2", truck=2)
    # 1,500.02 / 6 = 250.00 and a third of a penny, 2.00 / 6 = 0.33 and a third; together 250.33 and two thirds
    assert by_rate() == [(1, 20.0, 150002, 25001, 0), (2, 20.0, 200, 33, 0)]


def test_of_several_rates_at_one_price_the_highest_counts_and_is_told(shop: Path):
    upload(shop, MENU_CSV, "1,Burrito,Mexican,7.00,1.50,,,", "1,Loaf,Cold,7.00,1.00,0,,",
           "1,Roll,Cold,3.00,,5,,", "1,Bread,Cold,3.00,,0,,", when="2026-11-02 08:00", header=RATED)  # fmt: skip
    sell(shop, THURSDAY, "7", "3")
    assert by_rate() == [(1, 20.0, 700, 117, 700), (1, 5.0, 300, 14, 300)]
    assert returned().mixed_pence == 1000


def test_a_truck_has_a_rate_of_its_own_in_place_of_the_fleets(shop: Path):
    upload(shop, COSTS_CSV, VAT_20, "2,vat,0,percent,2026-11-01", when="2026-11-02 08:00", header=COSTS)
    sell(shop, THURSDAY, "7", truck=2)
    sell(shop, THURSDAY, "7")
    assert by_rate() == [(1, 20.0, 700, 117, 0), (2, 0.0, 700, 0, 0)]


def test_a_rate_that_nobody_states_is_not_guessed(bucket: Path):
    place(bucket, MENU_CSV, "1,Bread,Cold,3.00,,0,,", "1,Roll,Cold,4.00,,5,,", "1,Pie,Cold,4.00,,,,",
          when="2026-11-01 08:00", header=RATED)  # fmt: skip
    place(bucket, COSTS_CSV, "1,wages,1,day,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    sell(bucket, THURSDAY, "7", "3", "4")
    assert by_rate() == [(1, 0.0, 300, 0, 0), (1, None, 1100, None, 0)]
    assert returned().without_vat_pence == 1100
    with warehouse.connect() as db:
        assert metrics.contribution(db, Scope(THURSDAY, THURSDAY)).without_vat_pence == 1100
    sell(bucket, FRIDAY, "7")
    with warehouse.connect() as db, pytest.raises(RefusedError, match=r"give metadata/costs\.csv a line `vat`"):
        metrics.vat_return(db, metrics.Quarter(2026, 4, FRIDAY, FRIDAY))


def test_a_rate_holds_from_its_day_and_a_change_of_the_past_is_restated(shop: Path):
    sell(shop, THURSDAY, "4.20")
    sell(shop, FRIDAY, "4.20")
    upload(shop, MENU_CSV, "1,Soup,Cold,4.20,1.00,5,,", "1,Soup,Cold,4.20,1.00,20,2026-11-06,",
           when="2026-11-08 08:00", header=RATED)  # fmt: skip
    assert [found[1:4] for found in (*by_rate(), *by_rate(FRIDAY))] == [(5.0, 420, 20), (20.0, 420, 70)]
    assert restated() == [("metadata", 1, "2026-11-06", 300, 250, [MENU_CSV], "", f"A new version of {MENU_CSV}.")]
    assert rows("SELECT vat_pct::text, lower(days)::text FROM core.menu_item WHERE menu_item = 'Soup' ORDER BY 2") == [
        ("5", "1900-01-01"), ("20", "2026-11-06")]  # fmt: skip


@pytest.mark.parametrize(("stagger", "first", "last"), [
    (1, "2026-07-01", "2026-09-30"), (2, "2026-05-01", "2026-07-31"), (3, "2026-06-01", "2026-08-31")])  # fmt: skip
def test_quarters_end_in_the_months_of_the_stagger(monkeypatch, stagger, first, last):
    monkeypatch.setenv("T3_VAT_STAGGER", str(stagger))
    settings.cache_clear()
    found = metrics.quarter("2026-Q3")
    assert (str(found.first), str(found.last)) == (first, last)
    assert metrics.quarter_of(found.first) == metrics.quarter_of(found.last) == found
    begins = {1: date(2026, 1, 1), 2: date(2025, 11, 1), 3: date(2025, 12, 1)}
    assert metrics.quarter("2026-Q1").first == begins[stagger]
    with pytest.raises(ValueError, match="write it like 2026-Q3"):
        metrics.quarter("Q3 2026")


def test_a_return_is_boxes_one_and_six_and_says_what_it_lacks(shop: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(business_day, "today", lambda now=None: date(2026, 11, 20))
    sell(shop, THURSDAY, "7", "4.20", "3")
    for week in (0, 7):  # on these Thursdays truck 1 had a second file, which is not there on the third
        day = date(2026, 10, 22 + week)
        for hour in (15, 18):
            line = at(f"{hour - 3}:00", "cash", "3", day.isoformat())
            put(shop, f"trucks/{day.year}-{day.month}/{day.day}/{hour}/T3_T1_A1.csv", line)
    take_in()
    found = returned()
    assert (found.box1_pence, found.net_sales_pence, found.box6_pounds) == (137, 2483, 24)
    assert found.caveats == (
        "The quarter is not over: it ends on 31 December 2026.",
        "Sales are known from 22 October 2026 on only.",
        found.caveats[2],
    )
    assert "5 November: files are not loaded: truck 1 (18:00)" in found.caveats[2]
    assert returned("2026-Q3").box1_pence == 0
