"""The VAT that sales contain, by truck, business day and rate: CTEs of queries with :first and :last.

Of a sale of price p at r percent it is p x r / (100 + r). The sum of a business day and rate is rounded once, halves up
to a penny, over the whole fleet; its parts by truck are rounded so that they sum to it (largest remainder; of equal
ones the larger part, then the lower number of a truck). The rate is that of the dish in menu.csv, else the `vat` of
costs.csv for the truck, else for the fleet. Of several dishes at one price with different rates the highest counts, as
`mixed` says. `div` and `mod` give whole pence and remainders, because they are exact: a quotient in decimals is cut
at another place for a large truck than for a small one, and equal remainders would differ."""

# The rate of a price of a truck on a day, from a row of core.menu_price, or none, and one of vat_default.
RATE = """CASE WHEN vat_pct IS NULL THEN rate
                WHEN NOT vat_unstated THEN vat_pct
                WHEN rate IS NOT NULL THEN greatest(vat_pct, rate) END"""
# vat_priced: the sales by truck x day x what the dishes at a price state. vat_lines: one row per truck x day x rate,
# vat_days: one per day x rate; a null rate is not known and has no VAT. core.menu_price is worked out once.
VAT = f"""
vat_menu AS MATERIALIZED (
    SELECT truck_id, price_pence, lower(days) AS from_date, upper(days) AS to_date,
           vat_pct, vat_pct_lowest, vat_unstated
    FROM core.menu_price WHERE vat_pct IS NOT NULL
),
vat_priced AS (
    SELECT sold.truck_id, business_date, vat_pct, vat_pct_lowest, vat_unstated,
           sum(transactions * sold.price_pence::bigint) AS gross
    FROM mart.price_daily AS sold
    LEFT JOIN vat_menu ON vat_menu.truck_id = sold.truck_id AND vat_menu.price_pence = sold.price_pence
                      AND business_date >= from_date AND business_date < to_date
    WHERE business_date BETWEEN :first AND :last
    GROUP BY sold.truck_id, business_date, vat_pct, vat_pct_lowest, vat_unstated
),
vat_default AS (
    SELECT DISTINCT ON (sold.truck_id, business_date) sold.truck_id, business_date, amount AS rate
    FROM (SELECT DISTINCT truck_id, business_date FROM vat_priced) AS sold
    JOIN core.cost ON business_date >= cost.from_date AND business_date < cost.to_date
                  AND (cost.truck_id IS NULL OR cost.truck_id = sold.truck_id)
    WHERE per = 'percent' AND cost ILIKE 'vat%'
    ORDER BY sold.truck_id, business_date, cost.truck_id NULLS LAST, amount DESC
),
vat_sold AS (
    SELECT truck_id, business_date, gross,
           {RATE} AS rate,
           CASE WHEN vat_pct <> vat_pct_lowest OR vat_unstated AND rate <> vat_pct THEN gross ELSE 0 END AS mixed
    FROM vat_priced LEFT JOIN vat_default USING (truck_id, business_date)
),
vat_days AS (
    SELECT business_date, rate, sum(gross) AS gross,
           div(2 * sum(gross) * rate + 100 + rate, 2 * (100 + rate)) AS pence
    FROM vat_sold GROUP BY business_date, vat_sold.rate
),
vat_rated AS (
    SELECT truck_id, business_date, rate, sum(gross) AS gross, sum(mixed) AS mixed,
           div(sum(gross) * rate, 100 + rate) AS whole, mod(sum(gross) * rate, 100 + rate) AS rest
    FROM vat_sold GROUP BY truck_id, business_date, vat_sold.rate HAVING sum(gross) > 0
),
vat_rounded AS (
    SELECT *, div(2 * sum(gross) OVER fleet * rate + 100 + rate, 2 * (100 + rate)) - sum(whole) OVER fleet AS left_over,
           row_number() OVER (PARTITION BY business_date, rate ORDER BY rest DESC, gross DESC, truck_id) AS place
    FROM vat_rated WINDOW fleet AS (PARTITION BY business_date, rate)
),
vat_lines AS (
    SELECT truck_id, business_date, rate, gross, mixed,
           whole + CASE WHEN place <= left_over THEN 1 ELSE 0 END AS pence
    FROM vat_rounded
)""".strip()
