"""Random fleets with random changes: debits equal credits, and exports and corrections sum to today's figures."""

import random
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.journal import corrections, entries, export, locked
from t3lib.journal.accounts import accounts
from t3lib.journal.export import Order
from t3lib.metrics import Scope
from t3lib.metrics.money.postings import postings

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 5)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]
PRICES = (99, 250, 300, 420, 499, 700, 1299)
RATES = (None, 0, 5, 20)
Sold = dict[tuple[int, date, int, str], int]  # transactions by truck, day, price and payment

SALE = sa.text("""
    INSERT INTO mart.sales_hourly (truck_id, business_date, local_hour, location_id, payment_type, transactions,
                                   total_pence)
    VALUES (:truck, :day, 12, 0, :payment, :sold, :pence)
    ON CONFLICT (business_date, truck_id, local_hour, location_id, payment_type)
    DO UPDATE SET transactions = sales_hourly.transactions + excluded.transactions,
                  total_pence = sales_hourly.total_pence + excluded.total_pence
""")
PRICE = sa.text("""
    INSERT INTO mart.price_daily (truck_id, business_date, price_pence, transactions, goods_pence)
    VALUES (:truck, :day, :price, :sold, :sold * 37)
    ON CONFLICT (business_date, truck_id, price_pence)
    DO UPDATE SET transactions = price_daily.transactions + excluded.transactions,
                  goods_pence = price_daily.goods_pence + excluded.goods_pence
""")
DISH = sa.text("""
    INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, vat_pct)
    VALUES (:truck, :dish, 'x', :price, :rate)
""")


@pytest.fixture(autouse=True)
def _sunday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(business_day, "today", lambda now=None: date(2026, 11, 8))


def set_sales(db: sa.Connection, sold: Sold) -> None:
    db.execute(sa.text("DELETE FROM mart.sales_hourly; DELETE FROM mart.price_daily"))
    for (truck, day, price, payment), times in sold.items():
        given = {"truck": truck, "day": day, "price": price, "payment": payment, "sold": times, "pence": price * times}
        db.execute(SALE, given)
        db.execute(PRICE, given)


def set_menu(db: sa.Connection, chance: random.Random) -> dict[tuple[int, int], list[int | None]]:
    """The rates of the dishes at each truck and price."""
    db.execute(sa.text("DELETE FROM core.menu_item"))
    menu: dict[tuple[int, int], list[int | None]] = defaultdict(list)
    for number in range(chance.randint(0, 8)):
        truck, price, rate = chance.randint(1, 3), chance.choice(PRICES), chance.choice(RATES)
        menu[truck, price].append(rate)
        db.execute(DISH, {"truck": truck, "dish": f"Dish {number}", "price": price, "rate": rate})
    return menu


def random_sales(chance: random.Random) -> Sold:
    every = [(truck, day, price, payment) for truck in (1, 2, 3) for day in DAYS for price in PRICES
             for payment in ("card", "cash")]  # fmt: skip
    return {key: chance.randint(1, 9) for key in chance.sample(every, chance.randint(1, 60))}


def vat_of(sold: Sold, menu: dict[tuple[int, int], list[int | None]]) -> dict[tuple[date, int], int]:
    """The VAT of each day and rate as its definition says, in fractions; 20 percent where no dish names a rate."""
    gross: dict[tuple[date, int], int] = defaultdict(int)
    for (truck, day, price, _), times in sold.items():
        rates = [20 if rate is None else rate for rate in menu.get((truck, price), [])] or [20]
        gross[day, max(rates)] += price * times
    return {(day, rate): floor(Fraction(pence * rate, 100 + rate) + Fraction(1, 2)) for (day, rate), pence in
            gross.items()}  # fmt: skip


@pytest.mark.slow  # it tries many changes
def test_exports_and_corrections_sum_to_todays_figures_after_any_changes(db: sa.Connection):
    db.execute(
        sa.text("""
        INSERT INTO core.cost (cost, amount, per, from_date)
        VALUES ('vat', 20, 'percent', '2026-01-01'), ('card_fee', 1.75, 'percent', '2026-01-01')
    """)
    )
    corrected = 0
    for seed in range(60):
        chance, nested = random.Random(seed), db.begin_nested()
        for _ in range(chance.randint(1, 4)):
            sold, menu = random_sales(chance), {}
            set_sales(db, sold)
            menu = set_menu(db, chance)
            outcomes = export.export(db, FIRST, LAST, Order("xero", "Ann"))
            assert {one.state for one in outcomes} <= {"exported", "corrected", "unchanged", "nothing"}
            corrected += sum(one.state == "corrected" for one in outcomes)
            db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # debits equal credits in each journal
            db.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
            assert corrections.waiting(db) == []
        check(db, sold, menu)
        nested.rollback()
    assert corrected > 100


def check(db: sa.Connection, sold: Sold, menu: dict[tuple[int, int], list[int | None]]) -> None:
    today, known = postings(db, FIRST, LAST), accounts().posted
    for (_, day), found in locked.days(db).items():
        now = entries.signed(day, today.get(day, {}), known)
        assert {part: pence for part, pence in found.parts.items() if pence} == now
        assert sum(now.values()) == 0
    right = vat_of(sold, menu)
    assert {(day, rate): today[day].get(f"vat {rate}", 0) for day, rate in right} == right
    table = metrics.vat_by_rate(db, Scope(FIRST, LAST))
    assert table["vat_pence"].sum() == sum(right.values())
    assert table["gross_sales_pence"].sum() == sum(price * times for (_, _, price, _), times in sold.items())
    alone = [metrics.contribution(db, Scope(day, day)) for day in DAYS]
    costs = {day: {**found.costs} for day, found in zip(DAYS, alone, strict=True)}
    for day, posted in today.items():
        assert costs[day].get("vat", 0) == sum(pence for part, pence in posted.items() if part.startswith("vat "))
        assert costs[day].get("card_fee", 0) == posted.get("cost card_fee", 0)
        assert costs[day].get("Cost of goods", 0) == posted.get("goods", 0)
