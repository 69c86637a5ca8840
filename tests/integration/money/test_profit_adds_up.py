"""Whatever is asked of a made-up fleet, the parts of its contribution add up to the whole, to the penny."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.metrics import Scope
from t3lib.metrics.money.allocation import DIMENSIONS
from t3lib.metrics.money.postings import postings
from tests.clusters import own_database
from tests.support.restating import sold
from tests.support.visitor import given

SCOPES = 1_000
FIRST, DAYS, TRUCKS = date(2025, 10, 20), 8, 3  # the clocks go back on the 26th
TYPES = ("Mexican", "Drinks", "Not on the menu")
COSTS = """
    INSERT INTO core.cost (truck_id, cost, amount, per, from_date, to_date) VALUES
        (NULL, 'vat', 20, 'percent', '2025-01-01', '2025-10-25'),
        (NULL, 'vat', 12.5, 'percent', '2025-10-25', '3000-01-01'),
        (1, 'fuel', 333, 'day', '2025-10-22', '2025-10-29');
    INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES
        (NULL, 'card_fee', 1.69, 'percent', '2025-01-01'), (NULL, 'bag', 7, 'sale', '2025-01-01'),
        (NULL, 'office', 9999, 'month', '2025-01-01'), (NULL, 'wages', 1171, 'hour', '2025-01-01'),
        (2, 'wages', 8001, 'day', '2025-01-01'), (NULL, 'crew', 1013, 'shift', '2025-01-01'),
        (3, 'rent', 10001, 'month', '2025-01-01');
    INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Mexican', 777, 233), (1, 'Cola', 'Drinks', 199, 61),
        (2, 'Taco', 'Mexican', 501, NULL), (3, 'Juice', 'Drinks', 349, 117), (3, 'Water', 'Drinks', 349, 12);
    UPDATE core.menu_item SET vat_pct = 0 WHERE menu_item = 'Juice';
    UPDATE core.menu_item SET vat_pct = 5 WHERE menu_item IN ('Cola', 'Taco')
"""
_STAY = sa.text("""
    INSERT INTO core.pitch (truck_id, location_id, from_at, to_at, stay_from, event, fee_pence, fee_per, fee_percent)
    VALUES (:truck, :place, :begins, :ends, :begins, :event, :fee, :per, :percent)
""")
PRICES = (777, 199, 501, 349, 1203)


@pytest.fixture(scope="module")
def fleet(postgres: str, _template: str) -> Iterator[sa.Connection]:
    """Eight days of three trucks with stays, fees, idle hours and days without a sale; the same every time."""
    with own_database(postgres, _template) as url, pytest.MonkeyPatch.context() as patch:
        given(patch, T3_DATABASE_URL=url)
        with warehouse.connect(url) as db:
            fill(db, random.Random(16))
            yield db


def fill(db: sa.Connection, chance: random.Random) -> None:
    """Sales, each at the place of its truck's stay."""
    db.exec_driver_sql(COSTS)
    db.exec_driver_sql("INSERT INTO core.location SELECT n, 'Place ' || n FROM generate_series(1, 5) AS n")
    sales: dict[tuple[object, ...], int] = {}
    for truck in range(1, TRUCKS + 1):
        for day in (FIRST + timedelta(n) for n in range(DAYS)):
            stays = stay(db, chance, truck, day)
            if chance.random() < 0.15:
                continue
            for hour in chance.sample(range(9, 22), chance.randint(1, 8)):
                place = next((at for at, begins, ends in stays if begins <= hour < ends), 0)
                for _ in range(chance.randint(1, 4)):
                    sale = (truck, day, hour, place, chance.choice(("card", "cash")), chance.choice(PRICES))
                    sales[sale] = sales.get(sale, 0) + chance.randint(1, 3)
    sold(db, *((*sale, times) for sale, times in sales.items()))


def stay(db: sa.Connection, chance: random.Random, truck: int, day: date) -> list[tuple[int, int, int]]:
    """Up to two stays of a day: (place, from hour, to hour)."""
    noon = chance.randint(11, 16)
    found = [(chance.randint(1, 5), *hours) for hours in ((9, noon), (noon, 22)) if chance.random() < 0.8]
    for place, begins, ends in found:
        fee = chance.choice((None, 0, 2999))
        moments = {"begins": f"{day} {begins}:00 Europe/London", "ends": f"{day} {ends}:00 Europe/London"}
        terms = {"fee": fee, "per": None if fee is None else chance.choice(("stay", "day")),
                 "percent": chance.choice((None, 12.5)), "event": chance.choice((None, "Fair", "Derby"))}  # fmt: skip
        db.execute(_STAY, {"truck": truck, "place": place} | moments | terms)
    return found


def some(chance: random.Random, choices: range | tuple[str, ...]) -> tuple:
    """Mostly no filter, else some of the choices."""
    return () if chance.random() < 0.6 else tuple(chance.sample(choices, chance.randint(1, len(choices) - 1)))


def any_scope(chance: random.Random) -> Scope:
    """Days inside and around the data, with filters or without."""
    first = FIRST + timedelta(chance.randint(-2, DAYS))
    return Scope(first, first + timedelta(chance.choice((0, 0, 1, 6, 13))), trucks=some(chance, range(1, TRUCKS + 1)),
                 locations=some(chance, range(6)), payments=some(chance, ("card", "cash")),
                 menus=some(chance, TYPES))  # fmt: skip


@pytest.mark.slow
def test_the_parts_of_a_thousand_scopes_add_up_to_them_to_the_penny(fleet: sa.Connection):
    chance, with_sales = random.Random(1616), 0
    for _ in range(SCOPES):
        scope, dimension = any_scope(chance), chance.choice(list(DIMENSIONS))
        whole = metrics.contribution(fleet, scope)
        parts = metrics.contribution_by(fleet, scope, dimension, whole)
        sold_in_all = metrics.totals(fleet, scope)
        assert whole is not None
        costs = int(parts["direct_costs_pence"].sum() + parts["shared_costs_pence"].sum())
        assert costs == sum(whole.costs.values()), (scope, dimension)
        assert parts["contribution_pence"].sum() == whole.contribution_pence, (scope, dimension)
        assert parts["gross_sales_pence"].sum() == sold_in_all.gross_sales_pence == whole.gross_sales_pence
        assert parts["transactions"].sum() == sold_in_all.transactions
        assert parts["labour_pence"].sum() == (whole.labour_pence or 0)
        with_sales += bool(sold_in_all.transactions)
    assert with_sales > SCOPES / 2


def test_a_part_alone_is_what_it_is_among_the_others_but_for_the_pence_that_are_left(fleet: sa.Connection):
    days = Scope(FIRST, FIRST + timedelta(DAYS - 1))
    for dimension, name, given_as in (("truck", "truck_id", "trucks"), ("place", "location_id", "locations"),
                                      ("menu_type", "menu_type", "menus")):  # fmt: skip
        parts = metrics.contribution_by(fleet, days, dimension)
        for part in parts[parts["transactions"] > 0].to_dict("records"):
            chosen: dict[str, Any] = {given_as: (part[name],)}
            alone = metrics.contribution(fleet, replace(days, **chosen))
            assert alone is not None
            assert abs(alone.contribution_pence - part["contribution_pence"]) <= len(alone.costs), (dimension, part)


def test_vat_and_costs_are_those_of_the_return_and_of_the_journal(fleet: sa.Connection):
    days = [FIRST + timedelta(n) for n in range(DAYS)]
    posted = postings(fleet, days[0], days[-1])
    for day in days:
        scope, parts = Scope(day, day), posted[day]
        rated = metrics.vat_by_rate(fleet, scope)
        costs = given_costs(fleet, scope)
        assert costs.pop("vat", 0) == rated["vat_pence"].sum() == sum_of(parts, "vat")
        costs.pop("Cost of goods", None)
        assert {f"cost {name.lower()}": pence for name, pence in costs.items()} == {
            part: pence for part, pence in parts.items() if part.startswith("cost ")}  # fmt: skip
        assert sum_of(parts, "payment") == sum_of(parts, "vat") + sum_of(parts, "sales")
        for truck in range(1, TRUCKS + 1):
            own = given_costs(fleet, Scope(day, day, trucks=(truck,)))
            assert own.get("vat", 0) == rated.loc[rated["truck_id"] == truck, "vat_pence"].sum()
    assert {5, 12.5, 20} <= set(metrics.vat_by_rate(fleet, Scope(days[0], days[-1]))["vat_rate_pct"])


def given_costs(db: sa.Connection, scope: Scope) -> dict[str, int]:
    found = metrics.contribution(db, scope)
    assert found is not None
    return dict(found.costs)


def sum_of(parts: dict[str, int], kind: str) -> int:
    return sum(pence for part, pence in parts.items() if part.startswith(f"{kind} "))


def test_direct_and_shared_costs_are_the_same_by_every_dimension(fleet: sa.Connection):
    days = Scope(FIRST, FIRST + timedelta(DAYS - 1))
    sums = {tuple(metrics.contribution_by(fleet, days, dimension)[["direct_costs_pence", "shared_costs_pence"]].sum())
            for dimension in DIMENSIONS}  # fmt: skip
    assert len(sums) == 1


def test_the_trucks_differ_from_their_own_margins_by_their_share_of_the_fleets_costs(fleet: sa.Connection):
    days = Scope(FIRST, FIRST + timedelta(DAYS - 1))
    own, full = (figure(fleet, days).set_index("truck_id") for figure in
                 (metrics.contribution_by_truck, metrics.contribution_by))  # fmt: skip
    office = own["contribution_pence"] - full["contribution_pence"]
    gross = own["gross_sales_pence"]
    assert abs(office.sum() - DAYS * 9999 / 31) < 4
    assert (office - office.sum() * gross / gross.sum()).abs().max() < 0.2 * office.sum()


def test_an_hour_that_the_clocks_repeat_counts_once(fleet: sa.Connection):
    sunday = Scope(date(2025, 10, 26), date(2025, 10, 26))
    hours = metrics.contribution_by(fleet, sunday, "hour")["trading_hours"].sum()
    assert hours == metrics.per_trading_hour(fleet, sunday)["trading_hours"].sum()
