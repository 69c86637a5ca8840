"""The rollups in mart: rebuilt from the sales, or updated by the delta of one load."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from t3lib.business_day import BEGINNING, END
from t3lib.warehouse.db.connection import hash_joins
from t3lib.warehouse.db.cursor import Cursor
from t3lib.warehouse.sales import day_changes
from t3lib.warehouse.sales.day_changes import DayChange

HOURLY_KEY = ("business_date", "truck_id", "local_hour", "location_id", "payment_type")
PRICE_KEY = ("business_date", "truck_id", "price_pence")
SOLD_KEY = (*HOURLY_KEY, "price_pence")
GOODS = ("goods_pence", "without_goods_pence")
_VALUES = ("transactions", "total_pence")
EVER = (BEGINNING, END - timedelta(days=1))
_UNIT_COSTS = """
    SELECT truck_id, price_pence, lower(days), upper(days), unit_cost_pence FROM core.menu_price
    WHERE truck_id = ANY($1) AND unit_cost_pence IS NOT NULL
"""
_VALUED = """
    UPDATE mart.price_daily AS kept SET goods_pence = valued.goods_pence,
                                        without_goods_pence = valued.without_goods_pence
    FROM (
        SELECT sold.business_date, sold.truck_id, sold.price_pence,
               coalesce(transactions * unit_cost_pence, 0) AS goods_pence,
               CASE WHEN unit_cost_pence IS NULL THEN transactions * sold.price_pence::bigint
                    ELSE 0 END AS without_goods_pence
        FROM mart.price_daily AS sold
        LEFT JOIN core.menu_price AS menu ON menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence
                                         AND menu.days @> sold.business_date
        WHERE sold.business_date BETWEEN :first AND :last
    ) AS valued
    WHERE (kept.business_date, kept.truck_id, kept.price_pence)
          = (valued.business_date, valued.truck_id, valued.price_pence)
      AND (kept.goods_pence, kept.without_goods_pence) <> (valued.goods_pence, valued.without_goods_pence)
"""


@cache
def definition(name: str) -> str:
    """The select in rollups.sql that says what a rollup holds ('hourly', 'price', 'sold' or 'rejected')."""
    parts = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split("-- name: ")
    return next(part.split("\n", 1)[1].strip() for part in parts if part.startswith(f"{name}\n"))


def rebuild(db: sa.Connection, first: date | None = None, last: date | None = None) -> None:
    """Recompute the rollups of sales for a range of business dates (everything by default)."""
    bounds = {"first": first or EVER[0], "last": last or EVER[1]}
    db.execute(sa.text("LOCK TABLE mart.sales_hourly, mart.price_daily, mart.price_hourly IN SHARE ROW EXCLUSIVE MODE"))
    for table, name, columns in (
        ("sales_hourly", "hourly", (*HOURLY_KEY, "transactions", "total_pence")),
        ("price_daily", "price", (*PRICE_KEY, "transactions", *GOODS)),
        ("price_hourly", "sold", (*SOLD_KEY, "transactions")),
    ):
        named = ", ".join(columns)
        db.execute(sa.text(f"DELETE FROM mart.{table} WHERE business_date BETWEEN :first AND :last"), bounds)
        insert = f"INSERT INTO mart.{table} ({named}) SELECT {named} FROM ({definition(name)}) AS made"
        db.execute(sa.text(insert), bounds)


def update(cursor: Cursor, inserted: pa.Table, deleted: pa.Table) -> list[DayChange]:
    """Update the rollups by the sales (columns of core.sale) inserted and deleted in this transaction.

    Returns what that changes by truck and business day."""
    moved = pa.concat_tables([inserted, deleted])
    if not moved.num_rows:
        return []
    signs = np.repeat([1, -1], [inserted.num_rows, deleted.num_rows])
    cursor.execute("SELECT truck_id, location_id, from_at, to_at FROM core.pitch")
    sold = sold_delta(moved, signs, cursor.table())
    changes = day_changes.of_delta(cursor, sold)
    _apply(cursor, "sales_hourly", _summed(sold, HOURLY_KEY, _VALUES), HOURLY_KEY, _VALUES)
    _apply(cursor, "price_daily", _with_goods(cursor, _summed(sold, PRICE_KEY, _VALUES[:1])), PRICE_KEY,
           (*_VALUES[:1], *GOODS))  # fmt: skip
    _apply(cursor, "price_hourly", sold.drop_columns("total_pence"), SOLD_KEY, _VALUES[:1])
    return changes


def value_goods(db: sa.Connection, first: date, last: date) -> None:
    """Compute the cost of goods of these business days anew, by the menus that held on them."""
    with hash_joins(db):
        db.execute(sa.text(_VALUED), {"first": first, "last": last})


def raise_watermark(cursor: Cursor) -> None:
    """Raise the version that pages poll. Call it last: every load waits here until the one before has committed."""
    cursor.execute("""
        UPDATE mart.watermark SET version = version + 1, loaded_at = now(),
            last_sale_at = (SELECT max(last_sale_at) FROM ops.source_file WHERE state = 'loaded')
    """)
    cursor.execute("SELECT pg_notify('t3_loaded', version::text) FROM mart.watermark").fetchall()


def sold_delta(sales: pa.Table, signs: np.ndarray, pitches: pa.Table) -> pa.Table:
    """Change of mart.price_hourly, with its pence, by inserted (+1) and deleted (-1) sales, one row per key.

    The other rollups of sales are sums of it. Rows that change nothing stay: they mark the day for the archive."""
    pence = sales["total_pence"]
    columns = {"location_id": pa.array(locate(sales, pitches), pa.int32()), "price_pence": pence}
    columns |= {name: sales[name] for name in HOURLY_KEY if name not in columns}
    columns |= {
        "transactions": pa.array(signs, pa.int64()),
        "total_pence": pa.array(pence.to_numpy() * signs, pa.int64()),
    }
    return _summed(pa.table(columns), SOLD_KEY, _VALUES)


def _with_goods(cursor: Cursor, sold: pa.Table) -> pa.Table:
    """A change of transactions by day, truck and price, with the change of goods and of sales without a unit cost."""
    cursor.execute(_UNIT_COSTS, [pc.unique(sold["truck_id"]).to_pylist()])
    spans: dict[tuple[int, int], list[tuple[date, date, int]]] = {}
    for row in cursor.fetchall():
        spans.setdefault(row[:2], []).append(row[2:])
    goods, without = [], []
    for day, truck, price, times in zip(*(sold[name].to_pylist() for name in (*PRICE_KEY, _VALUES[0])), strict=True):
        cost = next((cost for first, until, cost in spans.get((truck, price), []) if first <= day < until), None)
        goods.append(times * (cost or 0))
        without.append(times * price if cost is None else 0)
    for name, values in zip(GOODS, (goods, without), strict=True):
        sold = sold.append_column(name, pa.array(values, pa.int64()))
    return sold


def _apply(cursor: Cursor, table: str, delta: pa.Table, key: tuple[str, ...], values: tuple[str, ...]) -> None:
    """Add a delta in key order, so that two loads never deadlock; delete rows that reach zero."""
    cursor.temporary_table("delta", delta)
    columns, keys = ", ".join((*key, *values)), ", ".join(key)
    added = ", ".join(f"{value} = kept.{value} + excluded.{value}" for value in values)
    cursor.execute(f"""
        INSERT INTO mart.{table} AS kept ({columns})
        SELECT {columns} FROM delta ORDER BY {keys}
        ON CONFLICT ({keys}) DO UPDATE SET {added}
    """)
    same = " AND ".join(f"kept.{name} = delta.{name}" for name in key)
    cursor.execute(f"DELETE FROM mart.{table} AS kept USING delta WHERE {same} AND kept.transactions = 0")
    cursor.execute("DROP TABLE delta")


def locate(sales: pa.Table, pitches: pa.Table) -> np.ndarray:
    """The location_id of each sale by core.pitch, 0 where no pitch covers it."""
    if not pitches.num_rows:
        return np.zeros(sales.num_rows, np.int32)
    pitches = pitches.sort_by([("truck_id", "ascending"), ("from_at", "ascending")])
    truck, at = sales["truck_id"].to_numpy().astype(np.int64), _seconds(sales["sold_at"])
    pitch_truck, begins, ends = pitches["truck_id"].to_numpy(), _seconds(pitches["from_at"]), _seconds(pitches["to_at"])
    found = np.searchsorted(_line(pitch_truck, begins), _line(truck, at), side="right") - 1
    place: np.ndarray = pitches["location_id"].to_numpy()[found]
    there = (found >= 0) & (pitch_truck[found] == truck) & (at < ends[found])
    return np.where(there, place, 0)


def _line(truck: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Truck and moment as one sortable number (moments stay below 2**36 seconds until the year 4147)."""
    line: np.ndarray = truck.astype(np.int64) * 2**36 + np.clip(seconds, 0, 2**36 - 1)
    return line


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    seconds: np.ndarray = column.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy()
    return seconds


def _summed(table: pa.Table, key: tuple[str, ...], values: tuple[str, ...]) -> pa.Table:
    """Sums of the values by key, in key order."""
    summed = table.group_by(list(key)).aggregate([(name, "sum") for name in values])
    return (
        summed.select([*key, *(f"{name}_sum" for name in values)])
        .rename_columns([*key, *values])
        .sort_by([(name, "ascending") for name in key])
    )
