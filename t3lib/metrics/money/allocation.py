"""Sales and costs of a scope, shared out to the parts of it that a dimension makes: trucks, places, hours, dishes.

The rules are in docs/kpis.md. A cost of a sale is that sale's, and so is the VAT in it. What a truck pays by the
time (a day, a month, an hour, a shift, a stay) goes in equal shares to the hours from the first to the last with a
sale, of the day or of the stay; within an hour to its sales by their pence. What the fleet pays goes to all sales of
the day by their pence. So each part of a cost has one place, whatever is asked for: parts of a scope add up to it."""

from dataclasses import dataclass

import sqlalchemy as sa

from t3lib.metrics.money.cost_lines import COST_LINES, FEES, OF_SALES, VAT_COST
from t3lib.metrics.money.vat_by_day import RATE
from t3lib.metrics.scope import MENU, ON_MENU, Scope, bound
from t3lib.problems import RefusedError
from t3lib.warehouse import hash_joins

GOODS = "Cost of goods"
MOST_DAYS = 92
MILLION = 1_000_000


@dataclass(frozen=True)
class Share:
    """What a part has of one cost, in millionths of a penny; the sales are in the row of the cost of goods. `number`
    and `label` name the part, both are None for costs of days and hours without a sale."""

    number: int | None
    label: str | None
    cost: str
    of_sales: bool
    millionths: int
    transactions: int
    gross_sales_pence: int
    without_goods_pence: int
    without_vat_pence: int
    hour_millionths: int


@dataclass(frozen=True)
class Dimension:
    """How a dimension names a part, by two SQL expressions; whether it needs the goods of each hour and place, or the
    dish of each sale."""

    number: str = "CAST(NULL AS integer)"
    label: str = "CAST(NULL AS text)"
    by_hour: bool = False
    by_dish: bool = False


DIMENSIONS = {
    "truck": Dimension("truck_id"),
    "place": Dimension("location_id", by_hour=True),
    "event": Dimension(label="coalesce(event, 'No event')", by_hour=True),
    "weekday": Dimension("CAST(extract(isodow FROM business_date) AS integer)"),
    "hour": Dimension("hour_order", by_hour=True),
    "menu_type": Dimension(label="menu_type", by_dish=True),
    "dish": Dimension("CASE WHEN dish IS NOT NULL THEN truck_id END", "dish", by_dish=True),
}
WHOLE = Dimension()

# Sales without a rate of VAT are told where others have one.
_TAXED = "EXISTS (SELECT FROM vat_lines WHERE rate IS NOT NULL)"
# Whole trucks and days need no hours: what a truck pays is its own.
_BY_DAY = f"""
WITH {COST_LINES},
fleet_day AS (SELECT business_date, sum(gross) AS gross FROM truck_day GROUP BY business_date),
share (truck_id, business_date, cost, of_sales, pence, transactions, gross, without, no_vat, hours) AS (
    SELECT truck_id, business_date, '{GOODS}', true, goods_pence, 0, 0, without_goods_pence, 0, 0
    FROM mart.price_daily WHERE business_date BETWEEN :first AND :last
    UNION ALL
    SELECT truck_id, business_date, '{GOODS}', true, 0, transactions, gross, 0, 0, hours FROM truck_day
    UNION ALL
    SELECT truck_id, business_date, '{GOODS}', true, 0, 0, 0, 0, gross, 0 FROM vat_lines WHERE rate IS NULL AND {_TAXED}
    UNION ALL
    SELECT truck_id, business_date, cost, true, pence, 0, 0, 0, 0, 0 FROM vat_costs
    UNION ALL
    SELECT truck_id, business_date, cost, true, pence, 0, 0, 0, 0, 0 FROM sale_lines
    UNION ALL
    SELECT truck_id, business_date, cost, true, pence, 0, 0, 0, 0, 0 FROM fee_lines
    UNION ALL
    SELECT truck_id, business_date, cost, false, pence, 0, 0, 0, 0, 0 FROM truck_lines
    UNION ALL
    SELECT truck_id, business_date, cost, false, coalesce(pence * truck_day.gross / fleet_day.gross, pence),
           0, 0, 0, 0, 0
    FROM fleet_lines LEFT JOIN truck_day USING (business_date) LEFT JOIN fleet_day USING (business_date)
)
SELECT {{number}} AS number, {{label}} AS label, cost, of_sales, {{sums}}
FROM share WHERE :all_trucks OR coalesce(truck_id = ANY(CAST(:trucks AS integer[])), false)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4"""
_SUMS = f"""round(sum(pence) * {MILLION})::bigint AS millionths,
       sum(transactions)::bigint AS transactions, sum(gross)::bigint AS gross_sales_pence,
       sum(without)::bigint AS without_goods_pence, sum(no_vat)::bigint AS without_vat_pence,
       round(sum(hours) * {MILLION})::bigint AS hour_millionths"""
# priced: one row per truck x day x price with a sale, with its rate of VAT.
_PRICES = f"""
priced AS (
    SELECT sold.*, {RATE} AS rate
    FROM mart.price_daily AS sold
    LEFT JOIN core.menu_price AS stated ON stated.truck_id = sold.truck_id AND stated.price_pence = sold.price_pence
                                       AND stated.days @> sold.business_date
    LEFT JOIN vat_default ON vat_default.truck_id = sold.truck_id AND vat_default.business_date = sold.business_date
    WHERE sold.business_date BETWEEN :first AND :last
)""".strip()
# The sales, one row per truck x day x hour x place x payment, or x dish.
_PRICED = """
    FROM mart.price_hourly AS sold
    JOIN priced AS daily ON daily.truck_id = sold.truck_id AND daily.price_pence = sold.price_pence
                          AND daily.business_date = sold.business_date"""
_OF_SCOPE = """
    WHERE sold.business_date BETWEEN :first AND :last
      AND (:all_trucks OR sold.truck_id = ANY(CAST(:trucks AS integer[])))"""
_BY_HOUR = f"""
    SELECT sold.truck_id, sold.business_date, (local_hour - :day_start + 24) % 24 AS hour_order, location_id,
           payment_type, CAST(NULL AS text) AS menu_type, CAST(NULL AS text) AS dish,
           sum(sold.transactions) AS transactions, sum(sold.price_pence::bigint * sold.transactions) AS pence,
           sum(goods_pence / daily.transactions * sold.transactions) AS goods,
           sum(without_goods_pence / daily.transactions * sold.transactions) AS without,
           sum(sold.price_pence::bigint * sold.transactions * rate / (100 + rate)) AS vat,
           sum(sold.price_pence::bigint * sold.transactions) FILTER (WHERE rate IS NULL) AS no_vat
    {_PRICED} {_OF_SCOPE}
    GROUP BY sold.truck_id, sold.business_date, local_hour, location_id, payment_type"""
_BY_DISH = f"""
    SELECT sold.truck_id, sold.business_date, (local_hour - :day_start + 24) % 24 AS hour_order, location_id,
           payment_type, coalesce(menu_type, 'Not on the menu') AS menu_type,
           coalesce(dish, 'Not on the menu') AS dish, sold.transactions,
           sold.price_pence::bigint * sold.transactions AS pence,
           goods_pence / daily.transactions * sold.transactions AS goods,
           without_goods_pence / daily.transactions * sold.transactions AS without,
           sold.price_pence::bigint * sold.transactions * rate / (100 + rate) AS vat,
           CASE WHEN rate IS NULL THEN sold.price_pence::bigint * sold.transactions END AS no_vat
    {_PRICED} LEFT JOIN menu ON {ON_MENU} {_OF_SCOPE}"""
_CHOSEN = """(:all_trucks OR coalesce(truck_id = ANY(CAST(:trucks AS integer[])), false))
           AND (:all_locations OR coalesce(location_id = ANY(CAST(:locations AS integer[])), false))
           AND (:all_payments OR coalesce(payment_type = ANY(CAST(:payments AS text[])), false))
           AND (:all_menus OR coalesce(menu_type = ANY(CAST(:menus AS text[])), false))"""

# idle: the hours between sales; the truck is where its stay says, else where it last sold. part: one row per truck x
# day x stay x part, with how many of the truck's hours it has. loose: costs of days, or of days of a stay, without a
# sale.
_SHARES = f"""
WITH {MENU.replace("menu_type", "menu_type, dish")},
{COST_LINES},
{_PRICES},
hour AS (
    SELECT truck_id, business_date, hour_order, sum(total_pence) AS pence,
           (array_agg(location_id ORDER BY total_pence DESC, location_id))[1] AS location_id
    FROM sold GROUP BY truck_id, business_date, hour_order
),
out AS (
    SELECT truck_id, business_date, generate_series(min(hour_order), max(hour_order)) AS hour_order
    FROM sold WHERE :all_trucks OR truck_id = ANY(CAST(:trucks AS integer[])) GROUP BY truck_id, business_date
),
filled AS (
    SELECT truck_id, business_date, hour_order, pence, location_id,
           count(pence) OVER (PARTITION BY truck_id, business_date ORDER BY hour_order) AS hours_before
    FROM out LEFT JOIN hour USING (truck_id, business_date, hour_order)
),
carried AS (
    SELECT truck_id, business_date, hour_order, pence,
           max(location_id) OVER (PARTITION BY truck_id, business_date, hours_before) AS location_id
    FROM filled
),
idle AS (
    SELECT DISTINCT ON (carried.truck_id, carried.business_date, hour_order) carried.truck_id, carried.business_date,
           hour_order, coalesce(stay_day.location_id, carried.location_id) AS location_id
    FROM carried
    LEFT JOIN stay_day ON stay_day.truck_id = carried.truck_id AND stay_day.business_date = carried.business_date
                      AND hour_order BETWEEN first_hour AND last_hour
    WHERE pence IS NULL
    ORDER BY carried.truck_id, carried.business_date, hour_order, stay_from DESC
),
cell AS ({{cells}}
    UNION ALL
    SELECT truck_id, business_date, hour_order, location_id, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0 FROM idle
),
placed AS (
    SELECT cell.*, stay_from, event
    FROM cell
    LEFT JOIN stay_day ON stay_day.truck_id = cell.truck_id AND stay_day.business_date = cell.business_date
                      AND stay_day.location_id = cell.location_id AND hour_order BETWEEN first_hour AND last_hour
),
unit AS (
    SELECT truck_id, business_date, stay_from, hour_order, {{number}} AS number, {{label}} AS label,
           {_CHOSEN} AS chosen, sum(transactions) AS transactions, sum(pence) AS pence,
           coalesce(sum(pence) FILTER (WHERE payment_type = 'card'), 0) AS card,
           sum(goods) AS goods, sum(without) AS without, sum(vat) AS vat, sum(no_vat) AS no_vat
    FROM placed
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),
part AS (
    SELECT truck_id, business_date, stay_from, number, label, chosen, sum(transactions) AS transactions,
           sum(unit.pence) AS gross, sum(card) AS card, sum(goods) AS goods, sum(without) AS without,
           sum(vat) AS vat, sum(no_vat) AS no_vat,
           sum(CASE WHEN hour.pence IS NULL THEN 1 ELSE unit.pence / hour.pence END) AS hours
    FROM unit LEFT JOIN hour USING (truck_id, business_date, hour_order)
    GROUP BY truck_id, business_date, stay_from, number, label, chosen
),
stay_hours AS (
    SELECT truck_id, business_date, stay_from, sum(hours) AS hours
    FROM part WHERE stay_from IS NOT NULL GROUP BY truck_id, business_date, stay_from
),
fleet_day AS (SELECT business_date, sum(gross) AS gross FROM truck_day GROUP BY business_date),
day_line AS (
    SELECT truck_id, business_date, cost, sum(pence) AS pence
    FROM truck_lines WHERE stay_from IS NULL GROUP BY truck_id, business_date, cost
),
loose AS (
    SELECT truck_id, business_date, CAST(NULL AS integer) AS location_id, CAST(NULL AS text) AS event, cost,
           day_line.pence
    FROM day_line LEFT JOIN truck_day USING (truck_id, business_date) WHERE truck_day.truck_id IS NULL
    UNION ALL
    SELECT truck_id, business_date, location_id, event, cost, pence
    FROM truck_lines JOIN stay_day USING (truck_id, business_date, stay_from)
    LEFT JOIN stay_hours USING (truck_id, business_date, stay_from) WHERE hours IS NULL
    UNION ALL
    SELECT NULL, business_date, NULL, NULL, cost, pence
    FROM fleet_lines LEFT JOIN fleet_day USING (business_date) WHERE gross IS NULL
),
share (number, label, cost, of_sales, pence, transactions, gross, without, no_vat, hours) AS (
    SELECT number, label, '{GOODS}', true, goods, transactions, gross, without,
           CASE WHEN {_TAXED} THEN coalesce(no_vat, 0) ELSE 0 END, hours
    FROM part WHERE chosen
    UNION ALL
    SELECT number, label, '{VAT_COST}', true, vat, 0, 0, 0, 0, 0 FROM part WHERE chosen AND vat > 0
    UNION ALL
    SELECT number, label, cost, true, {OF_SALES.format(part="part")}, 0, 0, 0, 0, 0
    FROM part JOIN by_truck USING (truck_id, business_date) WHERE chosen AND per IN ('percent', 'sale')
    UNION ALL
    SELECT number, label, '{FEES}', true, part.gross * fee_percent / 100, 0, 0, 0, 0, 0
    FROM part JOIN stay_day USING (truck_id, business_date, stay_from) WHERE chosen AND fee_percent > 0
    UNION ALL
    SELECT number, label, cost, false, pence * part.hours / truck_day.hours, 0, 0, 0, 0, 0
    FROM part JOIN day_line USING (truck_id, business_date) JOIN truck_day USING (truck_id, business_date) WHERE chosen
    UNION ALL
    SELECT number, label, cost, false, pence * part.hours / stay_hours.hours, 0, 0, 0, 0, 0
    FROM part JOIN truck_lines USING (truck_id, business_date, stay_from)
    JOIN stay_hours USING (truck_id, business_date, stay_from) WHERE chosen
    UNION ALL
    SELECT number, label, cost, false, pence * part.gross / fleet_day.gross, 0, 0, 0, 0, 0
    FROM part JOIN fleet_lines USING (business_date) JOIN fleet_day USING (business_date) WHERE chosen
    UNION ALL
    SELECT {{number}}, {{label}}, cost, false, pence, 0, 0, 0, 0, 0
    FROM (SELECT *, CAST(NULL AS integer) AS hour_order, CAST(NULL AS text) AS payment_type,
                 CAST(NULL AS text) AS menu_type, CAST(NULL AS text) AS dish FROM loose) AS loose
    WHERE {_CHOSEN}
)
SELECT number, label, cost, of_sales, {{sums}}
FROM share GROUP BY number, label, cost, of_sales
ORDER BY number, label, cost, of_sales"""


def shares(db: sa.Connection, scope: Scope, dimension: Dimension = WHOLE) -> list[Share]:
    """What each part of a scope has of each cost, and its sales. Raises RefusedError: for a part of a day, and for more
    than MOST_DAYS days where the goods are read by hour and price."""
    if scope.until_hour is not None:
        raise RefusedError("Contribution is known for whole days only: a day's costs are known when it is over.")
    by_dish = dimension.by_dish or bool(scope.menus)
    if not (by_dish or dimension.by_hour or scope.locations or scope.payments):
        return _read(db, _BY_DAY.format(sums=_SUMS, number=dimension.number, label=dimension.label), scope)
    if scope.days > MOST_DAYS:
        raise RefusedError(f"The goods of this choice are read by hour and price: choose at most {MOST_DAYS} days.")
    cells = _BY_DISH if by_dish else _BY_HOUR
    query = _SHARES.format(cells=cells, sums=_SUMS, number=dimension.number, label=dimension.label)
    return _read(db, query, scope)


def _read(db: sa.Connection, query: str, scope: Scope) -> list[Share]:
    with hash_joins(db):
        return [Share(*row) for row in db.execute(sa.text(query), bound(scope))]
