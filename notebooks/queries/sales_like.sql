-- Single sales with the file and row that each came from: for a question about one receipt. At most 1,000.
-- :business_date date = ''  business day, ISO; empty: the latest
-- :truck_id integer = 0  number of the truck; 0: all
-- :pence integer = 0  total in pence; 0: all
-- :payment text = ''  card or cash; empty: both
SELECT sale.sold_at, truck.name AS truck, sale.payment_type, sale.total_pence, sale.flags, file.key, sale.row_number
FROM mart.sale
JOIN mart.file USING (file_id)
LEFT JOIN core.truck ON truck.truck_id = sale.truck_id
WHERE sale.business_date = coalesce(:business_date, (SELECT max(business_date) FROM mart.sales_hourly))
  AND (:truck_id = 0 OR sale.truck_id = :truck_id)
  AND (:pence = 0 OR sale.total_pence = :pence)
  AND (:payment = '' OR sale.payment_type = :payment)
ORDER BY sale.sold_at, sale.truck_id, sale.file_id, sale.row_number
LIMIT 1000
