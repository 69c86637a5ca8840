-- What the rollups must hold, computed from the sales and the rejects: one row per truck x date x hour x place x
-- payment, the same x price, per truck x date x price with the cost of goods
-- by the menu of the day, per truck x date x reason. :first and :last bound the business dates.

-- name: hourly
WITH sale AS (
    SELECT truck_id, business_date, local_hour, payment_type, sold_at, total_pence
    FROM core.sale
    WHERE business_date BETWEEN :first AND :last
),

minute AS (
    SELECT truck_id, business_date, local_hour, payment_type, sold_at,
           count(*) AS transactions, sum(total_pence) AS total_pence
    FROM sale
    GROUP BY truck_id, business_date, local_hour, payment_type, sold_at
),

placed AS (
    SELECT minute.*, coalesce(pitch.location_id, 0) AS location_id
    FROM minute
    LEFT JOIN LATERAL (
        SELECT location_id, to_at FROM core.pitch
        WHERE pitch.truck_id = minute.truck_id AND pitch.from_at <= minute.sold_at
        ORDER BY pitch.from_at DESC
        LIMIT 1
    ) AS pitch ON minute.sold_at < pitch.to_at
)

SELECT truck_id, business_date, local_hour, location_id, payment_type,
       sum(transactions)::integer AS transactions, sum(total_pence)::bigint AS total_pence
FROM placed
GROUP BY truck_id, business_date, local_hour, location_id, payment_type

-- name: price
WITH sold AS (
    SELECT truck_id, business_date, total_pence AS price_pence, count(*)::integer AS transactions
    FROM core.sale
    WHERE business_date BETWEEN :first AND :last
    GROUP BY truck_id, business_date, total_pence
)

SELECT sold.truck_id, business_date, sold.price_pence, transactions,
       coalesce(transactions * unit_cost_pence, 0) AS goods_pence,
       CASE WHEN unit_cost_pence IS NULL THEN transactions * sold.price_pence::bigint ELSE 0 END AS without_goods_pence
FROM sold
LEFT JOIN core.menu_price AS menu ON menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence
                                 AND menu.days @> sold.business_date

-- name: sold
WITH sale AS (
    SELECT truck_id, business_date, local_hour, payment_type, sold_at, total_pence
    FROM core.sale
    WHERE business_date BETWEEN :first AND :last
),

minute AS (
    SELECT truck_id, business_date, local_hour, payment_type, sold_at, total_pence AS price_pence,
           count(*) AS transactions
    FROM sale
    GROUP BY truck_id, business_date, local_hour, payment_type, sold_at, total_pence
),

placed AS (
    SELECT minute.*, coalesce(pitch.location_id, 0) AS location_id
    FROM minute
    LEFT JOIN LATERAL (
        SELECT location_id, to_at FROM core.pitch
        WHERE pitch.truck_id = minute.truck_id AND pitch.from_at <= minute.sold_at
        ORDER BY pitch.from_at DESC
        LIMIT 1
    ) AS pitch ON minute.sold_at < pitch.to_at
)

SELECT truck_id, business_date, local_hour, location_id, payment_type, price_pence,
       sum(transactions)::integer AS transactions
FROM placed
GROUP BY truck_id, business_date, local_hour, location_id, payment_type, price_pence

-- name: rejected
SELECT row.truck_id, coalesce(row.business_date, file.batch_date) AS business_date, row.reason, count(*) AS rows
FROM ops.rejected_row AS row
JOIN ops.source_file AS file USING (file_id)
WHERE row.status IN ('open', 'dismissed')
  AND coalesce(coalesce(row.business_date, file.batch_date) BETWEEN :first AND :last, true)
GROUP BY 1, 2, 3
