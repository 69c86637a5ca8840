"""Contribution by place, event, hour, dish and the like: worked out by hand, to the penny."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.problems import RefusedError
from tests.support.restating import sold

FRIDAY = date(2025, 11, 21)
DAY = Scope(FRIDAY, FRIDAY)
# Truck 1 stands at a fair from 11:00 (£30 for the stay and 10% of sales), from 15:00 in a park; nobody knows where
# truck 2 stands. Wages are £12 an hour, a crew costs £10 a shift, the office £20 a day.
KNOWN = """
    INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, 'Kings of Kebabs');
    INSERT INTO core.location VALUES (5, 'Market'), (6, 'Park');
    INSERT INTO core.pitch (truck_id, location_id, from_at, to_at, event, fee_pence, fee_per, fee_percent) VALUES
        (1, 5, '2025-11-21 11:00+00', '2025-11-21 15:00+00', 'Fair', 3000, 'stay', 10),
        (1, 6, '2025-11-21 15:00+00', '2025-11-21 20:00+00', NULL, NULL, NULL, NULL);
    INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Mexican', 1000, 300), (1, 'Soup', 'Hot', 500, NULL);
    INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES
        (NULL, 'vat', 20, 'percent', '2025-01-01'), (NULL, 'card_fee', 1, 'percent', '2025-01-01'),
        (NULL, 'wages', 1200, 'hour', '2025-01-01'), (NULL, 'crew', 1000, 'shift', '2025-01-01'),
        (NULL, 'office', 2000, 'day', '2025-01-01')
"""
SALES = (
    (1, FRIDAY, 12, 5, "cash", 1000, 1), (1, FRIDAY, 14, 5, "card", 1000, 2), (1, FRIDAY, 16, 6, "card", 500, 1),
    (2, FRIDAY, 12, 0, "cash", 6500, 1),
)  # fmt: skip


@pytest.fixture
def fair(db: sa.Connection) -> sa.Connection:
    """£30 at the fair, £5 in the park, and £65 at truck 2."""
    db.exec_driver_sql(KNOWN.replace("%", "%%"))
    sold(db, *SALES)
    return db


def left(db: sa.Connection, dimension: str, name: str, scope: Scope = DAY) -> dict[object, float]:
    """Contribution in pounds by the name of a part."""
    found = metrics.contribution_by(db, scope, dimension)
    return {row[name]: row["contribution_pence"] / 100 for row in found.to_dict("records")}


def test_a_place_has_its_sales_its_fee_its_hours_and_its_shift(fair: sa.Connection):
    whole = metrics.contribution(fair, DAY)
    assert whole is not None
    assert whole.costs == {"Cost of goods": 900, "wages": 7200, "Pitch fees": 3300, "crew": 3000, "office": 2000,
                           "vat": 1667, "card_fee": 25}  # fmt: skip
    # Market: 30 - 5 VAT - 0.20 card - 9 goods - 3 of sales - 30 for the stay - 36 for three hours - 10 - 6 office
    # Park: 5 - 0.83 - 0.05 - 24 for two hours, one of them without a sale - 10 - 1
    # Truck 2, place not known: 65 - 10.84 (the penny that is left of VAT) - 12 - 10 - 13
    assert left(fair, "place", "location") == {"Place not recorded": 19.16, "Park": -30.88, "Market": -69.20}
    assert whole.contribution_pence == -8092
    assert (whole.labour_pence, whole.without_goods_pence) == (7200, 7000)


def test_an_event_has_the_stays_that_name_it(fair: sa.Connection):
    assert left(fair, "event", "event") == {"No event": -11.72, "Fair": -69.20}


def test_an_hour_without_a_sale_costs_what_the_truck_pays_for_it(fair: sa.Connection):
    found = left(fair, "hour", "local_hour")
    # 13:00 is a third of the stay's three hours: 12 + 10 + 3.33; 15:00 half of the park's two: 12 + 5.
    assert (found[13], found[15]) == (-25.33, -17.00)
    assert list(found) == [12, 13, 14, 15, 16]
    assert round(sum(found.values()), 2) == -80.92


def test_a_dish_has_the_hours_in_which_it_sold_and_idle_hours_have_a_row_of_their_own(fair: sa.Connection):
    found = metrics.contribution_by(fair, DAY, "dish").set_index(["truck", "dish"])["contribution_pence"] / 100
    # Burrito: 30 - 5 - 0.20 - 9 - 3 - 20 of the stay - 24 wages - 6.67 crew - 6; Soup: 5 - 0.83 - 0.05 - 12 - 5 - 1
    assert found.to_dict() == {
        ("Kings of Kebabs", "Not on the menu"): 19.16, ("Burrito Madness", "Soup"): -13.88,
        ("Burrito Madness", "Burrito"): -43.87, ("Without a sale", "Without a sale"): -42.33}  # fmt: skip
    assert left(fair, "menu_type", "menu_type")["Mexican"] == -43.87


def test_a_choice_of_some_sales_has_their_share(fair: sa.Connection):
    cards = metrics.contribution(fair, Scope(FRIDAY, FRIDAY, payments=("card",)))
    assert cards is not None
    # Two of five hours, a third of the stay at the market and half of that in the park, a quarter of the office.
    assert cards.costs == {"Cost of goods": 600, "wages": 2400, "Pitch fees": 1200, "crew": 833, "office": 500,
                           "vat": 417, "card_fee": 25}  # fmt: skip
    market = metrics.contribution(fair, Scope(FRIDAY, FRIDAY, locations=(5,)))
    assert market is not None
    assert market.contribution_pence == -6920
    assert left(fair, "weekday", "weekday", Scope(FRIDAY, FRIDAY, trucks=(1,))) == {5: -100.08}


def test_each_part_has_the_vat_of_its_own_sales_at_their_rates(fair: sa.Connection):
    fair.exec_driver_sql("UPDATE core.menu_item SET vat_pct = 5 WHERE menu_item = 'Burrito'")
    # Burritos 30.00 at 5 %: 1.43; soup 5.00 at 20 %: 0.83; truck 2 65.00 at 20 %: 10.83; of 70.00 at 20 %: 11.67
    assert vat(fair) == 143 + 1167
    choices: tuple[dict[str, Any], ...] = (
        {"locations": (5,)}, {"locations": (6,)}, {"trucks": (2,)}, {"menus": ("Mexican",)}, {"payments": ("card",)},
    )  # fmt: skip
    assert [vat(fair, **choice) for choice in choices] == [143, 83, 1084, 143, 179]
    assert left(fair, "place", "location")["Market"] == -65.63  # -69.20 + 5.00 - 1.43


def test_sales_whose_rate_nobody_states_have_no_vat_and_are_told(fair: sa.Connection):
    fair.exec_driver_sql("DELETE FROM core.cost WHERE cost = 'vat'")
    assert vat(fair) == 0
    fair.exec_driver_sql("UPDATE core.menu_item SET vat_pct = 20 WHERE menu_item = 'Burrito'")
    choices: tuple[dict[str, Any], ...] = ({}, {"trucks": (1,)}, {"locations": (6,)}, {"menus": ("Mexican",)})
    found = [metrics.contribution(fair, Scope(FRIDAY, FRIDAY, **choice)) for choice in choices]
    assert [one and one.without_vat_pence for one in found] == [7000, 500, 500, 0]
    assert [one and one.costs.get("vat", 0) for one in found] == [500, 500, 0, 500]


def vat(db: sa.Connection, **choice: Any) -> int:
    """The VAT of Friday, or of a part of it."""
    found = metrics.contribution(db, Scope(FRIDAY, FRIDAY, **choice))
    assert found is not None
    return found.costs.get("vat", 0)


def test_labour_and_sales_are_known_per_trading_hour(fair: sa.Connection):
    found = metrics.contribution_by(fair, DAY).set_index("truck").loc["Burrito Madness"]
    assert (found["trading_hours"], found["sales_per_hour_pence"], found["labour_per_hour_pence"]) == (5, 700, 1200)
    assert round(found["labour_share_pct"], 1) == 171.4
    hours = metrics.per_trading_hour(fair, DAY)
    assert hours["trading_hours"].tolist() == [5, 1]
    fair.exec_driver_sql("DELETE FROM core.cost WHERE cost = 'wages'")
    assert metrics.contribution_by(fair, DAY)["labour_pence"].isna().all()


def test_a_day_without_a_sale_costs_its_fee_its_month_and_its_office(fair: sa.Connection):
    fair.exec_driver_sql("""
        INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (2, 'rent', 3000, 'month', '2025-01-01');
        INSERT INTO core.pitch (truck_id, location_id, from_at, to_at, fee_pence, fee_per)
        VALUES (2, 6, '2025-11-22 10:00+00', '2025-11-23 20:00+00', 500, 'day')""")
    weekend = Scope(date(2025, 11, 22), date(2025, 11, 23))
    # Two days of rent (1.00 each), of the pitch (5.00 each) and of the office (20.00 each), which has no truck.
    assert left(fair, "truck", "truck", weekend) == {"Kings of Kebabs": -12.00, "Without a sale": -40.00}
    assert left(fair, "place", "location", weekend) == {"Park": -10.00, "Without a sale": -42.00}
    assert left(fair, "weekday", "weekday", weekend) == {6: -26.00, 7: -26.00}
    alone = metrics.contribution(fair, Scope(weekend.first, weekend.last, trucks=(2,)))
    assert alone is not None
    assert alone.contribution_pence == -1200


def test_a_fee_for_a_stay_is_spread_over_its_days_and_due_once_though_another_stay_cut_it(fair: sa.Connection):
    fair.exec_driver_sql("""
        UPDATE core.pitch SET to_at = '2025-11-21 13:00+00', stay_from = from_at WHERE location_id = 5;
        INSERT INTO core.pitch (truck_id, location_id, from_at, to_at, stay_from, fee_pence, fee_per, fee_percent)
        VALUES (1, 5, '2025-11-22 09:00+00', '2025-11-23 15:00+00', '2025-11-21 11:00+00', 3000, 'stay', 10)""")
    fees = [found.costs.get("Pitch fees") for day in (21, 22, 23)
            if (found := metrics.contribution(fair, Scope(date(2025, 11, day), date(2025, 11, day))))]  # fmt: skip
    assert fees == [1100, 1000, 1000]  # three days of a fee of £30; on Friday 10% of the £10 of before 13:00, too
    whole = metrics.contribution(fair, Scope(FRIDAY, date(2025, 11, 23)))
    assert whole is not None
    assert whole.costs["Pitch fees"] == 3100


def test_a_cost_that_is_named_like_the_cost_of_goods_is_added_to_it(fair: sa.Connection):
    fair.exec_driver_sql("INSERT INTO core.cost (truck_id, cost, amount, per, from_date) "
                         "VALUES (NULL, 'Cost of goods', 500, 'day', '2025-01-01')")  # fmt: skip
    whole = metrics.contribution(fair, DAY)
    assert whole is not None
    assert (whole.costs["Cost of goods"], whole.contribution_pence) == (900 + 500, -8092 - 500)
    assert metrics.contribution_by(fair, DAY, "place")["contribution_pence"].sum() == whole.contribution_pence


def test_a_trucks_own_cost_replaces_the_fleets_of_the_same_name(fair: sa.Connection):
    fair.exec_driver_sql(
        "INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (2, 'Wages', 5000, 'day', '2025-01-01')"
    )
    found = metrics.contribution(fair, DAY)
    assert found is not None
    assert (found.costs["wages"], found.costs["Wages"], found.labour_pence) == (6000, 5000, 11000)


@pytest.mark.parametrize(
    ("lacking", "dimension", "said"),
    [("core.cost", "truck", "metadata/costs.csv"), ("core.pitch", "place", "metadata/pitches.csv: which truck stood"),
     ("core.menu_item", "dish", "metadata/menu.csv"), ("", "colour", "choose one of truck, place, event")],
)  # fmt: skip
def test_what_has_no_inputs_says_what_is_lacking(fair: sa.Connection, lacking: str, dimension: str, said: str):
    if lacking:
        fair.exec_driver_sql(f"DELETE FROM {lacking}")
    with pytest.raises(RefusedError, match=said):
        metrics.contribution_by(fair, DAY, dimension)


def test_events_need_a_name_and_a_part_of_a_day_is_refused(fair: sa.Connection):
    with pytest.raises(RefusedError, match="whole days only"):
        metrics.contribution(fair, Scope(FRIDAY, FRIDAY, until_hour=14))
    with pytest.raises(RefusedError, match="at most 92 days"):
        metrics.contribution_by(fair, Scope(date(2025, 1, 1), FRIDAY), "hour")
    fair.exec_driver_sql("UPDATE core.pitch SET event = NULL")
    with pytest.raises(RefusedError, match="column EVENT"):
        metrics.contribution_by(fair, DAY, "event")
