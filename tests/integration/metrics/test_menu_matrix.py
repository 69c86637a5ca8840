"""The menu matrix: popular and profitable dishes, by hand, and what would move the others."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from t3lib import editions, metrics
from t3lib.metrics import Scope
from t3lib.problems import RefusedError
from t3lib.settings import ROOT, settings
from tests.support.pages import charge, offer, sold

SATURDAY, SUNDAY = date(2025, 11, 22), date(2025, 11, 23)
DAYS = Scope(SATURDAY, SUNDAY)
# Less 20 % of VAT and the unit cost they leave £4, £2, £8 and £0.50.
MENU = (("Burrito", 600, 100), ("Taco", 360, 100), ("Lobster", 1200, 200), ("Nachos", 240, 150))
SALES = {600: 25, 360: 15, 1200: 6, 240: 4}  # of one day: 50


@pytest.fixture
def truck(db: sa.Connection) -> sa.Connection:
    """A truck that sold 100 dishes on two days, at place 5 and, on Sunday, nowhere that is known."""
    db.execute(sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness')"))
    db.execute(sa.text("INSERT INTO core.location VALUES (5, 'Market')"))
    charge(db, "vat", 20)
    for dish, price, cost in MENU:
        offer(db, 1, dish, price, cost)
    sold(db, 1, SATURDAY, SALES, place=5)
    sold(db, 1, SUNDAY, SALES, payment="cash", hour=18)
    return db


def classes(db: sa.Connection, scope: Scope = DAYS) -> dict[str, str]:
    found = metrics.menu_matrix(db, scope)
    return dict(zip(found["dish"], found["menu_class"], strict=True))


def test_four_dishes_are_a_star_a_plowhorse_a_puzzle_and_a_dog(truck: sa.Connection):
    found = metrics.menu_matrix(truck, DAYS)
    assert set(found["average_margin_pence"]) == {360}  # (50 x 4.00 + 30 x 2.00 + 12 x 8.00 + 8 x 0.50) / 100
    assert set(found["popular_from_pct"]) == {17.5}  # 70 % of a quarter
    columns = ["dish", "sold_a_day", "mix_pct", "unit_margin_pence", "menu_class", "more_a_day", "more_margin_pence"]
    rows = [[None if pd.isna(value) else value for value in row] for row in found[columns].values.tolist()]
    assert rows == [
        ["Burrito", 25.0, 50.0, 400, "star", None, None],
        ["Taco", 15.0, 30.0, 200, "plowhorse", None, 229],  # 1.60 / 0.70
        ["Lobster", 6.0, 12.0, 800, "puzzle", 3.4, None],  # (17.5 % of 50 - 6) / 82.5 %
        ["Nachos", 4.0, 8.0, 50, "dog", 5.8, 337],  # 3.10 / 0.92
    ]


def test_the_dish_that_lacks_the_smallest_share_of_sales_or_margin_is_nearest_to_a_better_class(truck: sa.Connection):
    near = metrics.nearest_to_better(metrics.menu_matrix(truck, DAYS))
    assert list(near["dish"]) == ["Lobster", "Taco", "Nachos"]  # 3.4 of 6 a day, 2.29 of £2.00, 5.8 of 4 a day


@pytest.mark.parametrize(("more", "named"), [(6, "puzzle"), (7, "star")])
def test_so_many_more_sales_move_a_dish_and_fewer_do_not(truck: sa.Connection, more: int, named: str):
    sold(truck, 1, SUNDAY, {1200: more}, hour=19)  # 3.4 a day are 6.8
    assert classes(truck)["Lobster"] == named


@pytest.mark.parametrize(("more", "named"), [(228, "plowhorse"), (229, "star")])
def test_so_many_more_pence_move_a_dish_and_fewer_do_not(truck: sa.Connection, more: int, named: str):
    dearer = sa.text("UPDATE core.menu_item SET unit_cost_pence = unit_cost_pence - :more WHERE menu_item = 'Taco'")
    truck.execute(dearer, {"more": more})
    assert classes(truck)["Taco"] == named


def test_a_margin_or_share_that_is_equal_is_enough(db: sa.Connection):
    charge(db, "vat", 20)
    offer(db, 1, "Soup", 600, 100)
    offer(db, 1, "Stew", 720, 200)  # both leave £4
    sold(db, 1, SUNDAY, {600: 35, 720: 65})  # 35 % is 70 % of a half
    found = metrics.menu_matrix(db, DAYS)
    assert classes(db) == {"Soup": "star", "Stew": "star"}
    assert found["more_a_day"].isna().all()
    assert found["more_margin_pence"].isna().all()


def test_a_dish_alone_is_a_star_and_one_without_a_sale_is_judged_by_its_menu(db: sa.Connection):
    offer(db, 1, "Soup", 600, 100)
    sold(db, 1, SUNDAY, {600: 3})
    assert classes(db) == {"Soup": "star"}
    offer(db, 1, "Crab", 2000, 500)
    offer(db, 1, "Bread", 100, 90)
    assert classes(db) == {"Soup": "star", "Bread": "dog", "Crab": "puzzle"}
    crab = metrics.menu_matrix(db, DAYS).set_index("dish").loc["Crab"]
    assert (crab["transactions"], crab["menu_days"], crab["unit_margin_pence"]) == (0, 1, 1500)


def test_a_dish_without_a_unit_cost_is_named_and_not_guessed(truck: sa.Connection):
    offer(truck, 1, "Secret", 500, None)
    sold(truck, 1, SUNDAY, {500: 40}, hour=19)
    found = metrics.menu_matrix(truck, DAYS).set_index("dish")
    assert found.at["Secret", "menu_class"] == "no unit cost"
    assert found.loc["Secret", ["unit_margin_pence", "more_margin_pence"]].isna().all()
    assert set(found["average_margin_pence"]) == {360}
    assert found.at["Secret", "mix_pct"] == pytest.approx(100 * 40 / 140)


def test_nothing_sold_of_the_menu_has_no_class(db: sa.Connection):
    offer(db, 1, "Soup", 600, 100)
    sold(db, 1, SUNDAY, {999: 4})
    found = metrics.menu_matrix(db, DAYS)
    assert list(found["menu_class"]) == ["nothing sold"]
    assert found["mix_pct"].isna().all()


def test_dishes_at_one_price_are_one_with_their_mean_cost(db: sa.Connection):
    offer(db, 1, "Wrap", 600, 150)
    offer(db, 1, "Burrito", 600, 250)
    offer(db, 1, "Taco", 300, 100)
    offer(db, 2, "Bowl", 600, 100)
    sold(db, 1, SUNDAY, {600: 5, 300: 5})
    sold(db, 2, SUNDAY, {600: 1})
    found = metrics.menu_matrix(db, DAYS)
    assert found[["truck_id", "dish", "transactions", "unit_margin_pence", "popular_from_pct"]].values.tolist() == [
        [1, "Burrito, Wrap", 5, 400, 35.0], [1, "Taco", 5, 200, 35.0], [2, "Bowl", 1, 500, 70.0]]  # fmt: skip


def test_a_dish_stays_one_when_its_price_changes_and_its_margin_is_of_each_day(db: sa.Connection):
    charge(db, "vat", 20)
    charge(db, "VAT", 0, truck=1, since="2025-11-23")  # the truck's own rate, however it is spelt
    offer(db, 1, "Soup", 600, 100, until=SUNDAY)
    offer(db, 1, "Soup", 720, 100, first=SUNDAY)
    offer(db, 1, "Stew", 600, 100, first=SUNDAY)  # at the soup's old price, but on no day together
    sold(db, 1, SATURDAY, {600: 10})
    sold(db, 1, SUNDAY, {720: 30, 600: 10})
    found = metrics.menu_matrix(db, DAYS).set_index("dish")
    assert found.loc["Soup", ["price_pence", "transactions", "menu_days", "unit_margin_pence"]].tolist() == [
        720, 40, 2, 565]  # (10 x 4.00 + 30 x 6.20) / 40  # fmt: skip
    assert found.at["Stew", "menu_days"] == 1
    assert found.at["Stew", "mix_pct"] == pytest.approx(100 * 10 / 30)  # 10 a day beside 20 a day


def test_the_vat_of_a_truck_and_its_day_is_that_of_the_contribution(db: sa.Connection):
    charge(db, "vat", 20)
    db.execute(sa.text("UPDATE core.cost SET to_date = '2025-11-23'"))
    charge(db, "vat", 5, since="2025-11-23")
    charge(db, "vat", 0, truck=2)
    for truck in (1, 2):
        offer(db, truck, "Soup", 630, 100)
        sold(db, truck, SATURDAY, {630: 1})
        sold(db, truck, SUNDAY, {630: 1})
    assert metrics.menu_matrix(db, DAYS)["unit_margin_pence"].tolist() == [463, 530]  # (4.25 + 5.00) / 2; 5.30


def test_a_dish_with_a_rate_of_its_own_leaves_its_price_less_that_vat(db: sa.Connection):
    charge(db, "vat", 20)
    for name, price in (("Soup", 630), ("Bread", 300), ("Roll", 300), ("Cola", 240)):
        offer(db, 1, name, price, 100)
    db.execute(sa.text("UPDATE core.menu_item SET vat_pct = 5 WHERE menu_item = 'Soup'"))
    db.execute(sa.text("UPDATE core.menu_item SET vat_pct = 0 WHERE menu_item = 'Bread'"))  # the roll has 20 %
    sold(db, 1, SUNDAY, {630: 1, 300: 1, 240: 1})
    found = metrics.menu_matrix(db, DAYS).set_index("dish")["unit_margin_pence"]
    assert found.to_dict() == {"Soup": 500, "Bread, Roll": 150, "Cola": 100}


def test_each_place_has_its_own_matrix_and_a_place_without_stays_none(truck: sa.Connection):
    sold(truck, 1, SUNDAY, {240: 40}, hour=19, place=5)
    found = metrics.menu_matrix_by_place(truck, DAYS)
    named = {(row.location, row.dish): (row.transactions, row.menu_days, row.menu_class) for row in found.itertuples()}
    assert len(named) == 8
    assert named["Place not recorded", "Nachos"] == (4, 1, "dog")
    assert named["Market", "Nachos"] == (44, 2, "plowhorse")
    one = replace(DAYS, locations=(5,))
    of_market = metrics.menu_matrix(truck, one).set_index("dish")
    assert of_market.at["Nachos", "transactions"] == 44
    assert metrics.menu_matrix(truck, replace(DAYS, locations=(9,))).empty
    assert metrics.menu_matrix_by_place(truck, replace(DAYS, locations=(9,))).empty


def test_every_filter_is_obeyed_or_refused(truck: sa.Connection):
    assert metrics.menu_matrix(truck, replace(DAYS, payments=("card",)))["menu_days"].tolist() == [1] * 4
    assert metrics.menu_matrix(truck, replace(DAYS, until_hour=18))["menu_days"].tolist() == [1] * 4
    assert metrics.menu_matrix(truck, replace(DAYS, trucks=(2,))).empty
    offer(truck, 1, "Lemonade", 199, 20, "Cold")
    assert classes(truck, replace(DAYS, menus=("Cold",))) == {"Lemonade": "nothing sold"}
    assert len(classes(truck, replace(DAYS, menus=("Hot",)))) == 4
    long = Scope(SUNDAY - timedelta(days=40), SUNDAY)
    assert len(metrics.menu_matrix(truck, long)) == 5
    for refused in (replace(long, payments=("card",)), replace(long, locations=(5,)), replace(long, until_hour=18)):
        with pytest.raises(RefusedError, match="choose at most 35 days"):
            metrics.menu_matrix(truck, refused)
    with pytest.raises(RefusedError, match="choose at most 35 days"):
        metrics.menu_matrix_by_place(truck, long)


def test_popular_is_what_editions_toml_says(truck: sa.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = (ROOT / "notebooks" / "editions.toml").read_text()
    (tmp_path / "own.toml").write_text(text.replace("popular_pct = 70.0", "popular_pct = 40"))
    monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "own.toml"))
    settings.cache_clear()
    assert editions.menus().popular_pct == 40
    assert classes(truck)["Lobster"] == "star"  # 12 % of the sales, from 10 % on
