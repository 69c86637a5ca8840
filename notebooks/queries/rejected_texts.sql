-- What tills wrote in rows that were rejected: one row per truck, reason and text, the most frequent first. For new rules.
-- :reason text = ''  code of one reason, such as not_a_number; empty: all
-- :first date = ''  first business day, ISO; empty: from the beginning
-- :last date = ''  last business day, ISO; empty: to the end
SELECT truck.name AS truck, rejected.reason, rejected.raw_total AS total, rejected.raw_type AS payment,
       coalesce(rejected.raw_line, '') AS line, count(*) AS rows, min(rejected.business_date) AS first_day,
       max(rejected.business_date) AS last_day
FROM mart.rejected
LEFT JOIN core.truck USING (truck_id)
WHERE (:reason = '' OR rejected.reason = :reason)
  AND (:first IS NULL OR rejected.business_date >= :first)
  AND (:last IS NULL OR rejected.business_date <= :last)
GROUP BY truck.name, rejected.reason, rejected.raw_total, rejected.raw_type, rejected.raw_line
ORDER BY rows DESC, truck, reason, total, payment
