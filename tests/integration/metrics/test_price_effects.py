"""The effect of a price change: found in the history of menus, measured against trucks or dishes that kept theirs."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.problems import RefusedError
from tests.support.pages import FOR_EVER, charge, offer, sold

CHANGED, LAST = date(2025, 11, 3), date(2025, 11, 16)  # a Monday, and two weeks later
DAYS = Scope(LAST, LAST)
BEFORE = [CHANGED - timedelta(days=n) for n in range(14, 0, -1)]
AFTER = [CHANGED + timedelta(days=n) for n in range(14)]
WEEK = (4, 5, 6, 5, 8, 10, 4)  # burritos of a day; 42 a week


def rise(db: sa.Connection, truck: int = 1, dish: str = "Burrito", new: int = 720, **more: Any) -> None:
    """A dish of £6.00 that costs £1.00, at another price from CHANGED on."""
    offer(db, truck, dish, 600, 100, until=CHANGED, **more)
    offer(db, truck, dish, new, 100, first=CHANGED, **more)


@pytest.fixture
def trucks(db: sa.Connection) -> sa.Connection:
    """Truck 1 sells its burrito for £7.20 instead of £6.00, one less a day; truck 2 sells 20 soups a day."""
    db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, 'Souper')"))
    rise(db)
    offer(db, 2, "Soup", 500, 100)
    for n, (then, now) in enumerate(zip(BEFORE, AFTER, strict=True)):
        sold(db, 1, then, {600: WEEK[n % 7]})
        sold(db, 1, now, {720: WEEK[n % 7] - 1})
        sold(db, 2, then, {500: 20})
        sold(db, 2, now, {500: 20})
    return db


def effect(db: sa.Connection, scope: Scope = DAYS) -> pd.Series:
    found = metrics.price_effects(db, scope)
    assert len(found) == 1
    return found.iloc[0]


def test_one_sale_less_a_day_at_a_higher_price(trucks: sa.Connection):
    charge(trucks, "vat", 20)
    found = effect(trucks)
    assert (found.truck, found.dish, found.changed_on) == ("Burrito Madness", "Burrito", CHANGED)
    assert (found.old_price_pence, found.new_price_pence, found.window_weeks, found.day_pairs) == (600, 720, 2, 14)
    assert (found.effect_state, found.effect_note) == ("known", "Compared with 1 truck without a price change.")
    assert (found.before_sold, found.after_sold) == (6, 5)
    assert (found.effect_sold, found.low_sold, found.high_sold) == pytest.approx((-1, -1, -1))
    # 6 x 6.00 = 36.00 before, 5 x 7.20 = 36.00 after; of each sale 5.00 and 6.00 less VAT, less 1.00.
    assert (found.before_sales_pence, found.after_sales_pence, found.effect_sales_pence) == (3600, 3600, 0)
    assert (found.before_margin_pence, found.after_margin_pence, found.effect_margin_pence) == (2400, 2500, 100)
    assert found.low_sales_pence < 0 < found.high_sales_pence  # a Saturday gains, a Monday loses


def test_what_the_other_trucks_gained_was_to_be_expected_here_too(trucks: sa.Connection):
    more = "UPDATE mart.price_daily SET transactions = 30 WHERE price_pence = 500 AND business_date >= :day"
    trucks.execute(sa.text(more), {"day": CHANGED})
    assert effect(trucks).effect_sold == pytest.approx(5 - 9)


def test_a_dearer_purchase_is_no_effect_of_the_price(trucks: sa.Connection):
    trucks.execute(sa.text("UPDATE core.menu_item SET unit_cost_pence = 220 WHERE price_pence = 720"))
    found = effect(trucks)
    assert (found.before_margin_pence, found.after_margin_pence) == (3000, 2500)
    assert found.effect_margin_pence == 2500 - 6 * 380  # at the old price six would leave 6.00 - 2.20 each
    trucks.execute(sa.text("UPDATE core.menu_item SET unit_cost_pence = NULL WHERE price_pence = 720"))
    found = effect(trucks)
    assert (found.effect_state, found.effect_sales_pence) == ("known", 0)
    assert pd.isna(found.effect_margin_pence)


def test_a_change_of_the_unit_cost_alone_is_no_change_of_the_price(trucks: sa.Connection):
    trucks.execute(sa.text("DELETE FROM core.menu_item WHERE price_pence = 720"))
    offer(trucks, 1, "Burrito", 600, 300, first=CHANGED)
    assert metrics.price_effects(trucks, DAYS).empty


def test_ten_pairs_of_days_are_needed(trucks: sa.Connection):
    tenth = Scope(AFTER[9], AFTER[9])
    assert effect(trucks, tenth)[["effect_state", "day_pairs"]].tolist() == ["known", 10]
    found = effect(trucks, Scope(AFTER[8], AFTER[8]))
    assert found.effect_state == "too few days to say"
    assert found.effect_note == "Too few days to say: 9 of at least 10 pairs of same weekdays."
    assert found[["effect_sold", "before_sold"]].isna().all()
    trucks.execute(sa.text("DELETE FROM mart.price_daily WHERE truck_id = 1 AND business_date = :d"), {"d": BEFORE[0]})
    assert effect(trucks, tenth).day_pairs == 9  # its other half was a day without a sale of the truck


def test_a_change_is_told_for_four_weeks_and_later_days_are_not_read(trucks: sa.Connection):
    assert len(metrics.price_effects(trucks, Scope(CHANGED + timedelta(28), CHANGED + timedelta(28)))) == 1
    assert metrics.price_effects(trucks, Scope(CHANGED + timedelta(29), CHANGED + timedelta(29))).empty
    assert metrics.price_effects(trucks, Scope(CHANGED - timedelta(1), CHANGED - timedelta(1))).empty
    assert effect(trucks, Scope(CHANGED, AFTER[6])).day_pairs == 7


@pytest.mark.parametrize(
    ("price", "first", "until", "shared"),
    [
        (600, FOR_EVER[0], FOR_EVER[1], True),
        (720, AFTER[3], AFTER[4], True),
        (600, CHANGED, FOR_EVER[1], False),  # the old price after the change disturbs nobody
        (720, FOR_EVER[0], CHANGED, False),
    ],
)
def test_another_dish_at_one_of_the_two_prices_hides_the_effect(trucks, price, first, until, shared):
    offer(trucks, 1, "Wrap", price, 100, first=first, until=until)
    found = effect(trucks)
    assert found.effect_state == ("cannot be told apart" if shared else "known")
    if shared:
        assert found.effect_note.startswith(f"Wrap has the price £{price / 100:.2f}, too")
    offer(trucks, 2, "Other", price, 100)  # at another truck it does not matter
    assert effect(trucks).effect_state == found.effect_state


def test_without_another_truck_the_dishes_whose_price_stayed_are_compared_with(trucks: sa.Connection):
    trucks.execute(sa.text("DELETE FROM core.menu_item WHERE truck_id = 2"))
    assert effect(trucks).effect_state == "nothing to compare with"  # what truck 2 sells is not known
    offer(trucks, 1, "Soda", 200, 50)
    for day in BEFORE + AFTER:
        sold(trucks, 1, day, {200: 10}, hour=13)
    found = effect(trucks)
    assert (found.effect_note, found.effect_sold) == (
        "Compared with dishes of the truck whose price stayed.", pytest.approx(-1))  # fmt: skip
    offer(trucks, 1, "Juice", 300, 50, until=AFTER[3])
    offer(trucks, 1, "Juice", 200, 50, first=AFTER[3])  # now some of the sodas are juices
    (changed,) = metrics.price_effects(trucks, DAYS).query("dish == 'Burrito'").itertuples()
    assert changed.effect_state == "nothing to compare with"


def test_a_truck_with_a_change_of_its_own_is_not_compared_with(trucks: sa.Connection):
    rise(trucks, 2, "Pie", 700)
    found = metrics.price_effects(trucks, DAYS)
    assert found["effect_state"].tolist() == ["nothing to compare with", "not sold before"]
    assert found["effect_note"][1] == "Not sold at £6.00 on these days."


def test_the_day_of_a_change_at_noon_counts_on_neither_side(db: sa.Connection):
    offer(db, 1, "Burrito", 600, 100, until=f"{CHANGED} 12:00")
    offer(db, 1, "Burrito", 720, 100, first=f"{CHANGED} 12:00")
    offer(db, 2, "Soup", 500, 100)
    for day in BEFORE + AFTER:
        for truck, price in ((1, 600 if day < CHANGED else 720), (2, 500)):
            sold(db, truck, day, {price: 10})
    found = effect(db)
    assert (found.changed_on, found.day_pairs, found.effect_sold) == (CHANGED, 13, 0)


def test_a_dish_that_left_and_came_back_at_another_price_is_no_price_change(trucks: sa.Connection):
    trucks.execute(sa.text("DELETE FROM core.menu_item WHERE price_pence = 720"))
    offer(trucks, 1, "Burrito", 720, 100, first=AFTER[1])
    assert metrics.price_effects(trucks, DAYS).empty


def test_a_price_that_came_and_went_is_two_changes_that_end_at_each_other(trucks: sa.Connection):
    trucks.execute(sa.text("DELETE FROM core.menu_item WHERE price_pence = 720"))
    offer(trucks, 1, "Burrito", 720, 100, first=CHANGED, until=AFTER[10])
    offer(trucks, 1, "Burrito", 600, 100, first=AFTER[10])
    found = metrics.price_effects(trucks, DAYS)
    assert found[["changed_on", "old_price_pence", "day_pairs"]].values.tolist() == [
        [AFTER[10], 720, 4], [CHANGED, 600, 10]]  # fmt: skip


def test_filters_are_obeyed_or_refused_with_a_sentence(trucks: sa.Connection):
    assert metrics.price_effects(trucks, replace(DAYS, trucks=(2,))).empty
    assert metrics.price_effects(trucks, replace(DAYS, menus=("Cold",))).empty
    assert effect(trucks, replace(DAYS, trucks=(1,), menus=("Hot",))).effect_state == "known"  # truck 2 still compares
    for part in ({"payments": ("card",)}, {"locations": (5,)}, {"until_hour": 14}):
        with pytest.raises(RefusedError, match="whole trucks, all payments and whole days"):
            metrics.price_effects(trucks, replace(DAYS, **part))
    with pytest.raises(RefusedError, match="at most 366 days"):
        metrics.price_effects(trucks, Scope(date(2024, 1, 1), LAST))


@pytest.mark.slow
def test_a_fifth_fewer_sales_are_found_and_no_effect_is_not(db: sa.Connection):
    chance = random.Random(7)
    offer(db, 3, "Soup", 500, 100)
    for truck in (1, 2):
        rise(db, truck)
    for day in BEFORE + AFTER:
        weather = chance.uniform(0.8, 1.2)
        for truck, factor in ((1, 0.8), (2, 1.0), (3, 1.0)):
            level = 60 * weather * (1 + 0.5 * (day.weekday() > 4))
            level *= factor if day >= CHANGED else 1
            price = 500 if truck == 3 else 600 if day < CHANGED else 720
            sold(db, truck, day, {price: max(1, round(chance.gauss(level, level**0.5)))})
    found = metrics.price_effects(db, DAYS).set_index("truck_id")
    assert found.at[1, "high_sold"] < 0
    assert found.at[1, "low_sold"] < -14 < found.at[1, "high_sold"]  # a fifth of some 70 a day
    assert found.at[2, "low_sold"] < 0 < found.at[2, "high_sold"]
