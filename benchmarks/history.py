"""Years of sales made in SQL, with ledger, rejects and rollups that agree: the history behind a benchmark."""

from datetime import date, timedelta

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.business_day import END
from t3lib.warehouse.sales.rollups import EVER, definition

SLOTS, SALES_PER_REJECT = 4, 13
DEARER_DAYS = 20  # how long before the last day the price of a dish changed

# No trigger fires and no commit waits for the disk: all of it can be made again.
_QUICK = "SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off"
_DIMENSIONS = """
    INSERT INTO core.truck (truck_id, name, has_card_reader)
    SELECT truck, 'Truck number ' || truck, true FROM generate_series(1, :trucks) AS truck;
    INSERT INTO core.location SELECT place, 'Place ' || place FROM generate_series(1, 5) AS place;
    INSERT INTO core.cost (cost, amount, per, from_date)
    VALUES ('wages', 9000, 'day', '2000-01-01'), ('card fee', 1.5, 'percent', '2000-01-01')
"""
_SAME_FOR_EVER = """
    INSERT INTO core.pitch SELECT truck, 1 + truck % 5, '2000-01-01', '2100-01-01'
    FROM generate_series(1, :trucks) AS truck;
    INSERT INTO core.menu_item
    SELECT truck, 'Dish ' || dish, 'Kind ' || dish % 3, 300 + 100 * dish, 120 + 20 * dish
    FROM generate_series(1, :trucks) AS truck, generate_series(1, 6) AS dish
"""
# A stay a day at one of twelve places, with a fee, at weekends at an event; unit costs that rose in the middle; a dish
# of every second truck that became dearer; VAT by dish; costs of each kind; what of the sales reached the bank.
_DATED = """
    INSERT INTO core.location SELECT place, 'Place ' || place FROM generate_series(6, 12) AS place;
    INSERT INTO core.pitch (truck_id, location_id, from_at, to_at, stay_from, event, fee_pence, fee_per, fee_percent)
    SELECT truck, place, begins, ends, begins, event, 2000 + 500 * place, CASE place % 2 WHEN 0 THEN 'day' ELSE 'stay'
           END, CASE place % 3 WHEN 0 THEN 5 * (1 + place % 2) END
    FROM generate_series(CAST(:first AS timestamp), :last, '1 day') AS day, generate_series(1, :trucks) AS truck,
         LATERAL (SELECT 1 + (truck + CAST(extract(doy FROM day) AS integer)) % 12 AS place,
                         (day + interval '8 hours') AT TIME ZONE 'Europe/London' AS begins,
                         (day + interval '23 hours') AT TIME ZONE 'Europe/London' AS ends,
                         CASE WHEN extract(isodow FROM day) > 5 THEN 'Market of ' || to_char(day, 'Month') END AS event
                 ) AS stay;
    INSERT INTO core.menu_item (truck_id, menu_item, menu_type, price_pence, unit_cost_pence, vat_pct, days, on_menu)
    SELECT truck, 'Dish ' || dish, 'Kind ' || dish % 3, 300 + 100 * dish + dearer, 120 + 20 * dish + 10 * span,
           CASE dish WHEN 1 THEN 0 END, daterange(begins, ends),
           tstzrange((begins + time '04:00') AT TIME ZONE 'Europe/London',
                     (ends + time '04:00') AT TIME ZONE 'Europe/London')
    FROM generate_series(1, :trucks) AS truck, generate_series(1, 6) AS dish, LATERAL (VALUES
        (1, date '2000-01-01', CAST(:middle AS date), 0),
        (2, CAST(:middle AS date), CASE WHEN dish = 6 AND truck % 2 = 1 THEN :dearer_from ELSE '2100-01-01' END, 0),
        (3, :dearer_from, CASE WHEN dish = 6 AND truck % 2 = 1 THEN date '2100-01-01' END, 50)
        ) AS version (span, begins, ends, dearer)
    WHERE ends IS NOT NULL;
    INSERT INTO core.cost (truck_id, cost, amount, per, from_date)
    SELECT truck, 'van', 2500, 'day', '2000-01-01' FROM generate_series(1, :trucks) AS truck;
    INSERT INTO core.cost (cost, amount, per, from_date)
    VALUES ('kitchen staff', 1150, 'hour', '2000-01-01'), ('cleaning', 900, 'shift', '2000-01-01'),
           ('vat', 20, 'percent', '2000-01-01'), ('insurance', 120000, 'month', '2000-01-01'),
           ('packaging', 3, 'sale', '2000-01-01')
"""
_BANK = """
    INSERT INTO mart.settled_daily
    SELECT payment_type, truck_id, business_date,
           CASE WHEN business_date > CAST(:last AS date) - 3 THEN 'on_its_way' WHEN (truck_id + business_date
                - date '2000-01-01') % 211 = 0 THEN 'short' ELSE 'settled' END,
           CASE WHEN business_date > CAST(:last AS date) - 3 THEN 'expected' WHEN (truck_id + business_date
                - date '2000-01-01') % 211 = 0 THEN 'not_banked' ELSE 'banked' END,
           CASE payment_type WHEN 'card' THEN 'stripe/main/' || business_date ELSE
                'cash/' || truck_id || '/' || business_date END,
           CASE payment_type WHEN 'card' THEN 'stripe' ELSE '' END, business_date + 3, sum(total_pence)
    FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last GROUP BY payment_type, truck_id, business_date;
    INSERT INTO mart.payout
    SELECT item, 'stripe', 'main', 'po_' || business_date, business_date, business_date, min(expected_on), sum(pence),
           sum(pence) * 14 / 1000, 0, 0, 0, sum(pence) - sum(pence) * 14 / 1000, sum(pence) - sum(pence) * 14 / 1000,
           business_date + 3, 'settled', 'banked'
    FROM mart.settled_daily WHERE tender = 'card' AND state <> 'on_its_way' GROUP BY item, business_date;
    UPDATE mart.matching SET matched_at = now(), business_date = :last,
                             version = (SELECT version FROM mart.watermark)
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
           CASE WHEN n % 5 < 2 THEN 'cash' ELSE 'card' END,
           400 + 100 * ((7 * n + truck_id) % 6) + CASE WHEN batch_date >= :dearer_from AND truck_id % 2 = 1
                                                       AND (7 * n + truck_id) % 6 = 5 THEN 50 ELSE 0 END, 0
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
# The same as rollups.sql for trucks that stay at one place a whole day; ordered by day, as loads write them.
_ROLLUPS = f"""
    TRUNCATE mart.sales_hourly, mart.price_daily, mart.price_hourly, mart.rejected_daily;
    INSERT INTO mart.price_hourly
    SELECT sold.truck_id, sold.business_date, local_hour, location_id, payment_type, total_pence, transactions
    FROM (SELECT truck_id, business_date, local_hour, payment_type, total_pence, count(*) AS transactions
          FROM core.sale GROUP BY truck_id, business_date, local_hour, payment_type, total_pence) AS sold
    JOIN (SELECT truck_id, CAST(day AS date) AS business_date, location_id
          FROM core.pitch, (SELECT min(batch_date) AS first, max(batch_date) AS last FROM ops.source_file) AS file,
               generate_series(greatest(CAST(from_at AS date), first), least(CAST(to_at AS date), last), '1 day') AS day
          ) AS stay USING (truck_id, business_date)
    ORDER BY 2, 1;
    INSERT INTO mart.sales_hourly
    SELECT truck_id, business_date, local_hour, location_id, payment_type, sum(transactions),
           sum(transactions * price_pence::bigint)
    FROM mart.price_hourly GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 1;
    INSERT INTO mart.price_daily {definition("price")} ORDER BY 2, 1;
    INSERT INTO mart.rejected_daily {definition("rejected")} ORDER BY 2, 1;
    UPDATE mart.watermark SET version = version + 1, loaded_at = now(),
                              last_sale_at = (SELECT max(last_sale_at) FROM ops.source_file)
"""


def begin(trucks: int, dated: tuple[date, date] | None = None) -> None:
    """Add trucks, places, menus and costs to an empty database: the same for ever, or changing over these days."""
    with warehouse.connect() as db:
        db.execute(sa.text(_DIMENSIONS), {"trucks": trucks})
        if not dated:
            db.execute(sa.text(_SAME_FOR_EVER), {"trucks": trucks})
            return
        first, last = dated
        changed = {"middle": first + (last - first) // 2, "dearer_from": last - timedelta(DEARER_DAYS)}
        db.execute(sa.text(_DATED), {"trucks": trucks, "first": first, "last": last} | changed)


def add_days(first: date, last: date, trucks: int) -> None:
    """Add files of these days, without rows yet."""
    with warehouse.connect() as db:
        db.exec_driver_sql(_QUICK)
        db.execute(sa.text(_FILES), {"first": first, "last": last, "trucks": trucks})


def add_rows(first: date, last: date, begin: int, end: int, dated: bool = False) -> None:
    """Add rows `begin` to `end` of every file of these days, month by month, and rejects among them; `dated`: with the
    changed price of `begin`."""
    dearer_from = last - timedelta(DEARER_DAYS) if dated else END
    while first <= last:
        until = min(last, (first.replace(day=1) + timedelta(32)).replace(day=1) - timedelta(1))
        with warehouse.connect() as db:
            db.execute(sa.text("SELECT core.ensure_month(:first)"), {"first": first})
            db.exec_driver_sql(_QUICK)
            wanted: dict[str, object] = {"first": first, "last": until, "begin": begin, "end": end}
            db.execute(sa.text(_SALES), wanted | {"dearer_from": dearer_from})
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


def bank(first: date, last: date) -> None:
    """Add what of these days' sales has reached the bank: most of it, all but the last days and one day in 211."""
    with warehouse.connect() as db:
        db.execute(sa.text(_BANK), {"first": first, "last": last})
