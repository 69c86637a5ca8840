"""What tests of contribution share: sales put straight into the rollups, with the dimensions beside them."""

from collections.abc import Iterable

import sqlalchemy as sa

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


def sold(db: sa.Connection, *sales: Iterable[object]) -> None:
    """Put sales into the rollups: (truck, day, local hour, place, payment, price in pence, times)."""
    db.execute(_SOLD, [dict(zip(COLUMNS, sale, strict=True)) for sale in sales])
    db.exec_driver_sql(_SUMS)
