"""What tests of changed figures share: who decides, reprocessing, lists uploaded at a moment, what was recorded."""

import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TypedDict

import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.metrics import Scope
from t3lib.settings import settings
from t3lib.warehouse.files import reprocessing
from tests.support.feeding import at, put, rows, run, take_in

DAY = date(2026, 11, 5)
SHIFTED = "trucks/2026-11/5/18/T3_T3_B2.csv"
MENU = "truck_id,menu_item,menu_type,price"
RECORDED = """
    SELECT cause, truck_id, business_date::text, rows_before, rows_after, pence_before, pence_after
    FROM mart.restatement ORDER BY restatement_id
"""
MENU_CSV, COSTS_CSV = "metadata/menu.csv", "metadata/costs.csv"
UNIT_COSTS = f"{MENU},unit_cost"
COSTS = "truck_id,cost,amount,per,from"
THURSDAY, FRIDAY = date(2026, 11, 5), date(2026, 11, 6)
MONEY = """
    SELECT cause, truck_id, business_date::text, contribution_before, contribution_after, keys, actor, why
    FROM mart.restatement WHERE contribution_before IS NOT NULL ORDER BY restatement_id
"""
HELD = """
    SELECT menu_item, price_pence, unit_cost_pence, lower(days)::text, upper(days)::text
    FROM core.menu_item ORDER BY menu_item, on_menu
"""
_SOLD = sa.text("""
    INSERT INTO mart.price_hourly (truck_id, business_date, local_hour, location_id, payment_type, price_pence,
                                   transactions)
    VALUES (:truck, :day, :hour, :place, :payment, :price, :times)
""")
# The other rollups are sums of it.
_SUMS = """
    INSERT INTO mart.sales_hourly (truck_id, business_date, local_hour, location_id, payment_type, transactions,
                                   total_pence)
    SELECT truck_id, business_date, local_hour, location_id, payment_type, sum(transactions),
           sum(transactions * price_pence)
    FROM mart.price_hourly GROUP BY 1, 2, 3, 4, 5;
    INSERT INTO mart.price_daily (truck_id, business_date, price_pence, transactions, goods_pence, without_goods_pence)
    SELECT sold.truck_id, business_date, sold.price_pence, sum(transactions),
           sum(transactions) * coalesce(min(unit_cost_pence), 0),
           CASE WHEN min(unit_cost_pence) IS NULL THEN sum(transactions) * sold.price_pence ELSE 0 END
    FROM mart.price_hourly AS sold
    LEFT JOIN core.menu_price AS menu ON menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence
                                     AND menu.days @> business_date
    GROUP BY sold.truck_id, business_date, sold.price_pence
"""
COLUMNS = ("truck", "day", "hour", "place", "payment", "price", "times")


class Decision(TypedDict):
    """Who decides, and why."""

    actor: str
    why: str


def reprocess(first: date = DAY, last: date = DAY) -> list:
    """Reprocess days: claim them and run their batches."""
    with warehouse.connect() as db:
        size = settings().batch_bytes
        made = reprocessing.claim_days(db, first, last, actor="Ann", why="A new rule.", batch_bytes=size)
    return [run(batch_id) for batch_id in made]


def outcomes() -> list[tuple]:
    """The outcome of reprocessing, for each file."""
    return rows("SELECT outcome FROM ops.again_file ORDER BY batch_id, file_id")


def upload(bucket: Path, key: str, *lines: str, when: str, header: str = UNIT_COSTS) -> None:
    """Upload a file at a moment, and take it in with whatever else waits."""
    place(bucket, key, *lines, when=when, header=header)
    take_in()


def place(bucket: Path, key: str, *lines: str, when: str, header: str = UNIT_COSTS) -> None:
    """Upload a file at a moment."""
    put(bucket, key, *lines, header=header)
    moment = datetime.fromisoformat(f"{when}+00:00").timestamp()
    os.utime(bucket / key, (moment, moment))


def sell(bucket: Path, day: date, *totals: str, hour: int = 12, truck: int = 1) -> None:
    """Take in a file of card sales of a truck, one a minute."""
    lines = [at(f"{hour:02d}:{minute:02d}", "card", total, day.isoformat()) for minute, total in enumerate(totals)]
    put(bucket, f"trucks/{day.year}-{day.month}/{day.day}/{hour + 3}/T3_T{truck}_A1.csv", *lines)
    take_in()


def left(day: date, last: date | None = None) -> tuple[float, float, float]:
    """(cost of goods, contribution, sales without cost of goods) of a day in pounds."""
    with warehouse.connect() as db:
        found = metrics.contribution(db, Scope(day, last or day))
    assert found is not None
    goods, without = found.costs.get("Cost of goods", 0), found.without_goods_pence
    return goods / 100, found.contribution_pence / 100, without / 100


def restated() -> list[tuple]:
    """What was recorded of money that moved."""
    return rows(MONEY)


def sold(db: sa.Connection, *sales: Iterable[object]) -> None:
    """Put sales into the rollups: (truck, day, local hour, place, payment, price in pence, times)."""
    db.execute(_SOLD, [dict(zip(COLUMNS, sale, strict=True)) for sale in sales])
    db.exec_driver_sql(_SUMS)
