"""Years of sales made in SQL, with ledger, rejects and rollups that agree: the history behind a benchmark."""

from datetime import date, timedelta

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.warehouse.sales.rollups import EVER, definition

SLOTS, SALES_PER_REJECT = 4, 13

# No trigger fires and no commit waits for the disk: all of it can be made again.
_QUICK = "SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off"
_DIMENSIONS = """
    INSERT INTO core.truck (truck_id, name, has_card_reader)
    SELECT truck, 'Truck number ' || truck, true FROM generate_series(1, :trucks) AS truck;
    INSERT INTO core.location SELECT place, 'Place ' || place FROM generate_series(1, 5) AS place;
    INSERT INTO core.pitch SELECT truck, 1 + truck % 5, '2000-01-01', '2100-01-01'
    FROM generate_series(1, :trucks) AS truck;
    INSERT INTO core.menu_item
    SELECT truck, 'Dish ' || dish, 'Kind ' || dish % 3, 300 + 100 * dish, 120 + 20 * dish
    FROM generate_series(1, :trucks) AS truck, generate_series(1, 6) AS dish;
    INSERT INTO core.cost (cost, amount, per, from_date)
    VALUES ('wages', 9000, 'day', '2000-01-01'), ('card fee', 1.5, 'percent', '2000-01-01')
"""
_FILES = """
    INSERT INTO ops.source_file (key, etag, size, last_modified, kind, truck_id, batch_date, batch_hour, state,
                                 content_sha256, discovered_at, finished_at)
    SELECT 'trucks/' || day::date || '/' || hour || '/T3_T' || truck || '_H1.csv', 'e', 9, day, 'sales', truck, day,
           hour, 'loaded', md5(day::text || truck || hour), day, day
    FROM generate_series(CAST(:first AS timestamp), :last, '1 day') AS day, generate_series(1, :trucks) AS truck,
         unnest(ARRAY[12, 15, 18, 21]) AS hour
    ORDER BY day, truck, hour
"""
# The sales of the three hours before the batch, spread evenly, from row :begin to :end.
_SALES = """
    INSERT INTO core.sale (truck_id, file_id, row_number, sold_at, business_date, local_hour, payment_type, total_pence,
                           flags)
    SELECT truck_id, file_id, n, stamp AT TIME ZONE 'Europe/London', batch_date, extract(hour FROM stamp)::smallint,
           CASE WHEN n % 5 < 2 THEN 'cash' ELSE 'card' END, 400 + 100 * ((7 * n + truck_id) % 6), 0
    FROM (SELECT truck_id, file_id, batch_date, batch_hour FROM ops.source_file
          WHERE batch_date BETWEEN :first AND :last ORDER BY truck_id, file_id) AS file
    CROSS JOIN generate_series(CAST(:begin AS integer), CAST(:end AS integer)) AS n
    CROSS JOIN LATERAL (SELECT batch_date + make_interval(hours => batch_hour - 3, mins => n * 67 % 180) AS stamp) AS at
"""
_REJECTS = """
    INSERT INTO ops.rejected_row (file_id, row_number, truck_id, raw_total, reason, business_date)
    SELECT file_id, -n, truck_id, 'VOID', (ARRAY['void', 'missing_total', 'zero', 'error_marker'])[1 + n % 4],
           batch_date
    FROM ops.source_file
    CROSS JOIN generate_series(CAST(:begin AS integer), CAST(:end AS integer)) AS n
    WHERE batch_date BETWEEN :first AND :last AND n % :per_reject = 0
"""
_LEDGER = """
    UPDATE ops.source_file AS file
    SET rows_loaded = sold.rows, pence_loaded = sold.pence, first_sale_at = sold.first_at, last_sale_at = sold.last_at,
        rows_rejected = refused.rows, rows_read = sold.rows + refused.rows
    FROM (SELECT file_id, count(*) AS rows, sum(total_pence) AS pence, min(sold_at) AS first_at, max(sold_at) AS last_at
          FROM core.sale GROUP BY file_id) AS sold
    CROSS JOIN LATERAL (SELECT count(*) AS rows FROM ops.rejected_row WHERE file_id = sold.file_id) AS refused
    WHERE file.file_id = sold.file_id
"""
# The same as rollups.sql for trucks that never change their place; ordered by day, as loads write them.
_ROLLUPS = f"""
    TRUNCATE mart.sales_hourly, mart.price_daily, mart.price_hourly, mart.rejected_daily;
    INSERT INTO mart.sales_hourly
    SELECT truck_id, business_date, local_hour, 1 + truck_id % 5, payment_type, count(*), sum(total_pence)
    FROM core.sale GROUP BY truck_id, business_date, local_hour, payment_type ORDER BY 2, 1;
    INSERT INTO mart.price_hourly
    SELECT truck_id, business_date, local_hour, 1 + truck_id % 5, payment_type, total_pence, count(*)
    FROM core.sale GROUP BY truck_id, business_date, local_hour, payment_type, total_pence ORDER BY 2, 1;
    INSERT INTO mart.price_daily {definition("price")} ORDER BY 2, 1;
    INSERT INTO mart.rejected_daily {definition("rejected")} ORDER BY 2, 1;
    UPDATE mart.watermark SET version = version + 1, loaded_at = now(),
                              last_sale_at = (SELECT max(last_sale_at) FROM ops.source_file)
"""


def begin(trucks: int) -> None:
    """Add trucks, places, menus and costs to an empty database."""
    with warehouse.connect() as db:
        db.execute(sa.text(_DIMENSIONS), {"trucks": trucks})


def add_days(first: date, last: date, trucks: int) -> None:
    """Add files of these days, without rows yet."""
    with warehouse.connect() as db:
        db.exec_driver_sql(_QUICK)
        db.execute(sa.text(_FILES), {"first": first, "last": last, "trucks": trucks})


def add_rows(first: date, last: date, begin: int, end: int) -> None:
    """Add rows `begin` to `end` of every file of these days, month by month, and rejects among them."""
    while first <= last:
        until = min(last, (first.replace(day=1) + timedelta(32)).replace(day=1) - timedelta(1))
        with warehouse.connect() as db:
            db.execute(sa.text("SELECT core.ensure_month(:first)"), {"first": first})
            db.exec_driver_sql(_QUICK)
            wanted = {"first": first, "last": until, "begin": begin, "end": end}
            db.execute(sa.text(_SALES), wanted)
            db.execute(sa.text(_REJECTS), wanted | {"per_reject": SALES_PER_REJECT})
        first = until + timedelta(1)


def finish() -> None:
    """Update the ledger, the rollups and the planner's statistics to the rows."""
    with warehouse.connect() as db:
        db.exec_driver_sql(_QUICK)
        db.execute(sa.text(_LEDGER))
        db.execute(sa.text(_ROLLUPS), {"first": EVER[0], "last": EVER[1]})
    with warehouse.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(sa.text("VACUUM ANALYZE"))
