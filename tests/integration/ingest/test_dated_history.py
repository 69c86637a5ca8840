"""Any later menu or costs leave the days before alone: random histories against a plain table of days."""

import json
import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
import sqlalchemy as sa

from t3lib.metrics.money.margins import contributions
from t3lib.warehouse.load import dated
from t3lib.warehouse.load.dated import Cause, Version

FIRST, DAYS, PRICES = date(2026, 11, 1), 20, (500, 600, 700)
LAST = FIRST + timedelta(days=DAYS - 1)
Menu = dict[str, tuple[int, int | None]]  # dish: price and unit cost


@pytest.mark.slow  # it tries random histories
@pytest.mark.parametrize("seed", range(3))
def test_a_later_menu_or_cost_leaves_the_days_before_alone(db: sa.Connection, seed: int):
    chance = random.Random(seed)
    sell(db)
    menus: dict[date, Menu] = {}
    day, costs = FIRST, 1
    for _ in range(8):
        menu = {
            dish: (chance.choice(PRICES), chance.choice((None, 101, 150, 222))) for dish in chance.sample("abcd", 3)
        }
        upload(db, "menu_item", day, dishes(menu))
        upload(db, "cost", day, [{"truck_id": 1, "cost": "Wages", "amount": str(costs), "per": "day"}])
        known = contributions(db, FIRST, LAST)
        menus |= {later: menu for later in days() if later >= day or not menus}
        assert goods(db) == {later: cost_of(menus[later]) for later in days()}
        day, costs = day + timedelta(days=chance.randint(0, 4)), costs + 1
        upload(db, "menu_item", day, dishes({"z": (700, 1)}))
        upload(db, "cost", day, [{"truck_id": 1, "cost": "Wages", "amount": "999", "per": "day"}])
        menus |= {later: {"z": (700, 1)} for later in days() if later >= day}
        now = contributions(db, FIRST, LAST)
        before = now["business_date"] < day
        assert now[before].to_dict("records") == known[before].to_dict("records")
    held = "SELECT count(*) FROM core.menu_item AS one JOIN core.menu_item AS other USING (truck_id, menu_item)"
    assert db.scalar(sa.text(f"{held} WHERE one.on_menu && other.on_menu AND one.ctid <> other.ctid")) == 0


def sell(db: sa.Connection) -> None:
    """Each day one sale of truck 1 at each price."""
    day = "generate_series(CAST(:first AS date), :last, '1 day') AS day"
    bound = {"first": FIRST, "last": LAST}
    db.execute(sa.text(f"INSERT INTO mart.sales_hourly SELECT 1, day, 12, 0, 'card', 3, 1800 FROM {day}"), bound)
    each = f"SELECT 1, day, price, 1, 0, price FROM {day}, unnest(CAST(:prices AS integer[])) AS price"
    db.execute(sa.text(f"INSERT INTO mart.price_daily {each}"), bound | {"prices": list(PRICES)})


def upload(db: sa.Connection, name: str, day: date, records: list[dict]) -> None:
    dated.change(db, name, Version(json.dumps(records), day, None), Cause("metadata", "metadata/x.csv"), contributions)


def dishes(menu: Menu) -> list[dict]:
    return [{"truck_id": 1, "menu_item": dish, "menu_type": "Hot", "price_pence": price, "unit_cost_pence": cost}
            for dish, (price, cost) in menu.items()]  # fmt: skip


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(DAYS)]


def goods(db: sa.Connection) -> dict[date, int]:
    found = db.execute(sa.text("SELECT business_date, sum(goods_pence) FROM mart.price_daily GROUP BY business_date"))
    return {day: int(pence) for day, pence in found}


def cost_of(menu: Menu) -> int:
    """One sale at each price: the mean of its dishes' known unit costs, halves up."""
    total = 0
    for wanted in PRICES:
        known = [cost for price, cost in menu.values() if price == wanted and cost is not None]
        total += int((Decimal(sum(known)) / (len(known) or 1)).quantize(Decimal(1), ROUND_HALF_UP))
    return total
