"""What a business day posts to the accounts: sales by payment, net sales and VAT by rate, goods, and each cost."""

from datetime import date

import sqlalchemy as sa

from t3lib.metrics.money.cost_lines import COST_LINES
from t3lib.metrics.scope import Scope, bound

UNKNOWN = "unknown"  # in place of a rate

# One row per day x part. A cost is rounded as in `contribution` of the day alone.
_POSTINGS = f"""
WITH {COST_LINES},
rated AS (
    SELECT business_date, coalesce(trim_scale(rate)::text, '{UNKNOWN}') AS rate, gross, pence AS vat FROM vat_days
),
lines AS (
    SELECT business_date, cost, pence FROM sale_lines
    UNION ALL
    SELECT business_date, cost, pence FROM fee_lines
    UNION ALL
    SELECT business_date, cost, pence FROM truck_lines
    UNION ALL
    SELECT business_date, cost, pence FROM fleet_lines
),
paid AS (
    SELECT business_date, cost, floor(round(sum(pence) * 1000000) / 1000000 + 0.5) AS pence
    FROM lines GROUP BY business_date, cost
),
posted AS (
    SELECT business_date, 'payment ' || payment_type AS part, sum(total_pence) AS pence
    FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last GROUP BY business_date, payment_type
    UNION ALL
    SELECT business_date, 'sales ' || rate, gross - coalesce(vat, 0) FROM rated
    UNION ALL
    SELECT business_date, 'vat ' || rate, vat FROM rated
    UNION ALL
    SELECT business_date, 'goods', sum(goods_pence) FROM mart.price_daily
    WHERE business_date BETWEEN :first AND :last GROUP BY business_date
    UNION ALL
    SELECT business_date, 'cost ' || lower(cost), sum(pence) FROM paid GROUP BY business_date, lower(cost)
)
SELECT business_date, part, pence::bigint FROM posted WHERE pence <> 0 ORDER BY business_date, part"""


def postings(db: sa.Connection, first: date, last: date) -> dict[date, dict[str, int]]:
    """Pence by part, of each business day that has any: `payment card`, `sales 20` (net), `vat 20`, `goods`,
    `cost wages`. The payments of a day are its net sales and VAT together."""
    found: dict[date, dict[str, int]] = {}
    for day, part, pence in db.execute(sa.text(_POSTINGS), bound(Scope(first, last))):
        found.setdefault(day, {})[part] = int(pence)
    return found
