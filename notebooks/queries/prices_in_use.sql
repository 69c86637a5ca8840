-- Prices that each truck sold at: when first and last, how often, and the dish that had this price on the menu of the day.
-- :sold_at_least integer = 5  leave out prices that were sold less often
-- :last_days integer = 0  of the days up to the latest sale; 0: all days
WITH days AS (
    SELECT truck_id, business_date, price_pence, transactions
    FROM mart.price_daily
    WHERE :last_days = 0
       OR business_date > (SELECT max(business_date) FROM mart.price_daily) - CAST(:last_days AS integer)
)
SELECT truck.name AS truck, days.price_pence, sum(days.transactions)::bigint AS sales,
       min(days.business_date) AS first_day, max(days.business_date) AS last_day, menu.dish AS on_the_menu
FROM days
LEFT JOIN core.truck USING (truck_id)
LEFT JOIN core.menu_price AS menu ON menu.truck_id = days.truck_id AND menu.price_pence = days.price_pence
                                 AND menu.days @> days.business_date
GROUP BY truck.name, days.price_pence, menu.dish
HAVING sum(days.transactions) >= :sold_at_least
ORDER BY truck, days.price_pence
