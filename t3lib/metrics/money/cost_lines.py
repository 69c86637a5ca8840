"""What the costs of some business days are made of: CTEs of queries with the parameters of `bound`.

Each CTE has one row per line, exact in pence: a sum is rounded once, where a figure is made of it. A cost is one of:
- of a sale (`sale_lines`, `fee_lines`, `vat_lines`): per sale, in percent of sales, pitch fees in percent, and VAT;
- of a truck's time (`truck_lines`): per hour, shift, day or month of a truck, and fixed pitch fees;
- of the fleet itself (`fleet_lines`): per day or month without a truck."""

from t3lib.metrics.money.vat_by_day import VAT

FEES, VAT_COST = "Pitch fees", "vat"

# sold: the rollup with hours in the order of the business day. stay_day: one row per stay x business day. A stay that
# another one cut has several rows in core.pitch. Of two stays at one place in one hour the earlier has the hour.
_SOLD = """
sold AS (
    SELECT truck_id, business_date, (local_hour - :day_start + 24) % 24 AS hour_order, location_id, payment_type,
           transactions, total_pence
    FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last
),
piece AS (
    SELECT truck_id, coalesce(stay_from, from_at) AS stay_from, location_id, event, fee_pence, fee_per, fee_percent,
           from_at AT TIME ZONE :zone - make_interval(hours => :day_start) AS begins,
           (to_at - interval '1 microsecond') AT TIME ZONE :zone - make_interval(hours => :day_start) AS ends
    FROM core.pitch
    WHERE (truck_id, coalesce(stay_from, from_at)) IN (
        SELECT truck_id, coalesce(stay_from, from_at) FROM core.pitch
        WHERE from_at < CAST(:last AS date) + 2 AND to_at > CAST(:first AS date) - 1)
),
stay AS (
    SELECT *, sum(1 + CAST(ends AS date) - CAST(begins AS date) - CASE WHEN CAST(begins AS date) = before THEN 1 ELSE 0
              END) OVER (PARTITION BY truck_id, stay_from) AS days
    FROM (SELECT *, lag(CAST(ends AS date)) OVER (PARTITION BY truck_id, stay_from ORDER BY begins) AS before
          FROM piece) AS piece
),
day_of_stay AS (
    SELECT truck_id, stay_from, location_id, event, fee_pence, fee_per, fee_percent, days,
           CAST(d AS date) AS business_date,
           min(CASE WHEN d = CAST(begins AS date) THEN extract(hour FROM begins) ELSE 0 END) AS first_hour,
           max(CASE WHEN d = CAST(ends AS date) THEN extract(hour FROM ends) ELSE 23 END) AS last_hour
    FROM stay, generate_series(greatest(CAST(begins AS date), :first), least(CAST(ends AS date), :last),
                               interval '1 day') AS d
    GROUP BY truck_id, stay_from, location_id, event, fee_pence, fee_per, fee_percent, days, d
),
stay_day AS (
    SELECT truck_id, stay_from, location_id, event, fee_pence, fee_per, fee_percent, days, business_date, last_hour,
           greatest(first_hour, 1 + max(last_hour) OVER (
               PARTITION BY truck_id, business_date, location_id ORDER BY stay_from
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS first_hour
    FROM day_of_stay
)""".strip()
# place_day: one row per truck x day x place with a sale. truck_day: the same per truck x day; hours are those from the
# first to the last with a sale. stay_sold: the stays with a sale, where a cost is of them: per shift,
# or a fee in percent. Where a stay does not hold all of a place's hours, they are read one by one.
_TRADED = """
place_day AS (
    SELECT truck_id, business_date, location_id, sum(total_pence) AS gross, sum(transactions) AS transactions,
           coalesce(sum(total_pence) FILTER (WHERE payment_type = 'card'), 0) AS card,
           min(hour_order) AS first_sold, max(hour_order) AS last_sold
    FROM sold GROUP BY truck_id, business_date, location_id
),
truck_day AS (
    SELECT truck_id, business_date, sum(gross) AS gross, sum(transactions) AS transactions, sum(card) AS card,
           1 + max(last_sold) - min(first_sold) AS hours
    FROM place_day GROUP BY truck_id, business_date
),
place_stay AS (
    SELECT truck_id, business_date, location_id, stay_from, fee_percent, gross, first_hour, last_hour,
           first_hour <= first_sold AND last_sold <= last_hour AS whole
    FROM place_day JOIN stay_day USING (truck_id, business_date, location_id)
    WHERE fee_percent > 0 OR EXISTS (SELECT FROM core.cost WHERE per = 'shift')
),
stay_sold AS (
    SELECT truck_id, business_date, stay_from, fee_percent, sum(gross) AS gross
    FROM (SELECT truck_id, business_date, stay_from, fee_percent, gross FROM place_stay WHERE whole
          UNION ALL
          SELECT truck_id, business_date, stay_from, fee_percent, hour.total_pence
          FROM place_stay CROSS JOIN LATERAL (
              SELECT total_pence FROM mart.sales_hourly
              WHERE (business_date, truck_id, location_id)
                    = (place_stay.business_date, place_stay.truck_id, place_stay.location_id)
                AND (local_hour - :day_start + 24) % 24 BETWEEN first_hour AND last_hour
          ) AS hour
          WHERE NOT whole) AS part
    GROUP BY truck_id, business_date, stay_from, fee_percent
)""".strip()
# A truck's own cost replaces the fleet's of the same name; a constraint lets no name hold twice. VAT is that of
# vat_lines.
_BY_TRUCK = """
stated AS (SELECT * FROM core.cost WHERE NOT (per = 'percent' AND cost ILIKE 'vat%')),
by_truck AS (
    SELECT truck_day.*, cost, amount, per
    FROM truck_day JOIN stated USING (truck_id) WHERE business_date >= from_date AND business_date < to_date
    UNION ALL
    SELECT truck_day.*, cost, amount, per
    FROM truck_day JOIN stated AS fleet ON business_date >= from_date AND business_date < to_date
    WHERE fleet.truck_id IS NULL AND per NOT IN ('day', 'month') AND NOT EXISTS (
        SELECT FROM stated AS own
        WHERE own.truck_id = truck_day.truck_id AND lower(own.cost) = lower(fleet.cost)
          AND business_date >= own.from_date AND business_date < own.to_date)
)""".strip()
# What a cost of `by_truck` is of these sales: of a truck's day, or of a part of it.
OF_SALES = """CASE
        WHEN per = 'sale' THEN amount * {part}.transactions
        WHEN cost ILIKE '%card%' THEN {part}.card * amount / 100
        ELSE {part}.gross * amount / 100 END"""
_SALE_LINES = f"""
sale_lines AS (
    SELECT truck_id, business_date, cost, {OF_SALES.format(part="by_truck")} AS pence
    FROM by_truck WHERE per IN ('percent', 'sale')
),
fee_lines AS (
    SELECT truck_id, business_date, '{FEES}' AS cost, gross * fee_percent / 100 AS pence
    FROM stay_sold WHERE fee_percent > 0
),
vat_costs AS (SELECT truck_id, business_date, '{VAT_COST}' AS cost, pence FROM vat_lines WHERE pence > 0)""".strip()
# stay_from is null for what is of the whole day.
_TIME_LINES = f"""
by_time AS (
    SELECT cost.truck_id, business_date, cost, CASE
           WHEN per = 'month'
           THEN amount / extract(day FROM date_trunc('month', business_date) + interval '1 month - 1 day')
           WHEN cost.truck_id IS NULL OR EXISTS (
               SELECT FROM truck_day
               WHERE truck_day.truck_id = cost.truck_id AND truck_day.business_date = day.business_date)
           THEN amount ELSE 0 END AS pence
    FROM (SELECT CAST(d AS date) AS business_date FROM generate_series(:first, :last, interval '1 day') AS d) AS day
    JOIN core.cost ON business_date >= from_date AND business_date < to_date AND per IN ('day', 'month')
),
truck_lines AS (
    SELECT truck_id, business_date, CAST(NULL AS timestamptz) AS stay_from, cost, pence
    FROM by_time WHERE truck_id IS NOT NULL AND pence > 0
    UNION ALL
    SELECT truck_id, business_date, NULL, cost, amount * hours FROM by_truck WHERE per = 'hour'
    UNION ALL
    SELECT truck_id, business_date, stay_from, cost, amount
    FROM by_truck LEFT JOIN stay_sold USING (truck_id, business_date) WHERE per = 'shift'
    UNION ALL
    SELECT truck_id, business_date, stay_from, '{FEES}', CASE fee_per WHEN 'stay' THEN 1.0 * fee_pence / days
           ELSE fee_pence END
    FROM stay_day WHERE fee_pence > 0
),
fleet_lines AS (SELECT business_date, cost, pence FROM by_time WHERE truck_id IS NULL)""".strip()
COST_LINES = ",\n".join((_SOLD, _TRADED, VAT, _BY_TRUCK, _SALE_LINES, _TIME_LINES))
