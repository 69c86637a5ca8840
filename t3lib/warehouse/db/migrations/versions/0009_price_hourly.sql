-- What was sold where, when and for how much was read from the sales themselves, longer with every sale of a day.
LOCK TABLE core.pitch, mart.sales_hourly IN SHARE ROW EXCLUSIVE MODE;
-- One row per truck x place x business date x local hour x payment x price.
CREATE TABLE mart.price_hourly (
    truck_id      integer NOT NULL,
    business_date date NOT NULL,
    local_hour    smallint NOT NULL,
    location_id   integer NOT NULL,
    payment_type  text NOT NULL,
    price_pence   integer NOT NULL,
    transactions  integer NOT NULL,
    PRIMARY KEY (business_date, truck_id, local_hour, location_id, payment_type, price_pence)
);
INSERT INTO mart.price_hourly
SELECT truck_id, business_date, local_hour, core.place(truck_id, sold_at), payment_type, total_pence, count(*)
FROM core.sale
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 2, 1;
