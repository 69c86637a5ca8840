"""The tables of a pack, read from the database in the report's snapshot: what its figures are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.metrics.trust.quality import OF_THESE_DAYS, with_moments
from t3lib.seal import tables

MONTHS = 24  # twelve, and the same a year before


@dataclass(frozen=True)
class Content:
    """One table: the query of its rows, their columns, and which are whole numbers."""

    sql: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()


# Parameters: :first and :last are the month, :span_first is the first day of the 24 months that end with it, and
# :year_first the first day of the last twelve.
_LOADED = f"SELECT file_id FROM mart.file WHERE state = 'loaded' AND {OF_THESE_DAYS}"
CONTENTS = {
    "data/source_files.csv": Content(
        f"""
SELECT file.file_id, file.key, file.etag, source.version, file.kind, file.state, file.reason, file.truck_id,
       file.batch_date, source.content_sha256, file.rows_read, file.rows_loaded, file.rows_rejected, file.pence_loaded,
       coalesce(sold.month_rows, 0), coalesce(sold.month_pence, 0)
FROM (SELECT * FROM mart.file WHERE {OF_THESE_DAYS}) AS file
JOIN ops.source_file AS source USING (file_id)
LEFT JOIN (
    SELECT file_id, count(*) AS month_rows, sum(total_pence)::bigint AS month_pence FROM mart.sale
    WHERE business_date BETWEEN :first AND :last GROUP BY file_id
) AS sold USING (file_id)
ORDER BY file.file_id""",
        ("file_id", "key", "etag", "version", "kind", "state", "reason", "truck_id", "batch_date", "content_sha256",
         "rows_read", "rows_loaded", "rows_rejected", "pence_loaded", "month_rows", "month_pence"),
        ("file_id", "rows_read", "rows_loaded", "rows_rejected", "pence_loaded", "month_rows", "month_pence"),
    ),
    "data/sales.csv": Content(
        """
SELECT file_id, row_number, truck_id, sold_at, business_date, local_hour, payment_type, total_pence, flags
FROM mart.sale WHERE business_date BETWEEN :first AND :last ORDER BY file_id, row_number""",
        ("file_id", "row_number", "truck_id", "sold_at", "business_date", "local_hour", "payment_type", "total_pence",
         "flags"),
        ("file_id", "row_number", "truck_id", "total_pence"),
    ),
    "data/rejected.csv": Content(
        f"""
SELECT file_id, row_number, truck_id, business_date, reason, status, raw_timestamp, raw_type, raw_total
FROM mart.rejected
WHERE status IN ('open', 'dismissed') AND (business_date BETWEEN :first AND :last OR file_id IN ({_LOADED}))
ORDER BY file_id, row_number""",
        ("file_id", "row_number", "truck_id", "business_date", "reason", "status", "raw_timestamp", "raw_type",
         "raw_total"),
        ("file_id", "row_number", "truck_id"),
    ),
    "data/daily_sales.csv": Content(
        """
SELECT truck_id, business_date, payment_type, sum(transactions)::bigint, sum(total_pence)::bigint
FROM mart.sales_hourly WHERE business_date BETWEEN :span_first AND :last
GROUP BY truck_id, business_date, payment_type ORDER BY business_date, truck_id, payment_type""",
        ("truck_id", "business_date", "payment_type", "transactions", "total_pence"),
        ("truck_id", "transactions", "total_pence"),
    ),
    "data/daily_prices.csv": Content(
        """
SELECT sold.truck_id, business_date, sold.price_pence, transactions, goods_pence, without_goods_pence, unit_cost_pence,
       vat_pct, vat_pct_lowest, vat_unstated
FROM mart.price_daily AS sold
LEFT JOIN core.menu_price AS menu ON menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence
    AND menu.days @> sold.business_date
WHERE business_date BETWEEN :first AND :last ORDER BY business_date, sold.truck_id, sold.price_pence""",
        ("truck_id", "business_date", "price_pence", "transactions", "goods_pence", "without_goods_pence",
         "unit_cost_pence", "vat_pct", "vat_pct_lowest", "vat_unstated"),
        ("truck_id", "price_pence", "transactions", "goods_pence", "without_goods_pence", "unit_cost_pence"),
    ),
    "data/daily_rejected.csv": Content(
        """
SELECT truck_id, business_date, reason, rows FROM mart.rejected_daily
WHERE business_date BETWEEN :year_first AND :last ORDER BY business_date, truck_id, reason""",
        ("truck_id", "business_date", "reason", "rows"),
        ("truck_id", "rows"),
    ),
    "data/settled_daily.csv": Content(
        """
SELECT tender, truck_id, business_date, state, cause, item, provider, expected_on, pence
FROM mart.settled_daily WHERE business_date BETWEEN :first AND :last
ORDER BY business_date, tender, truck_id, state, cause, item, provider""",
        ("tender", "truck_id", "business_date", "state", "cause", "item", "provider", "expected_on", "pence"),
        ("truck_id", "pence"),
    ),
    "data/costs.csv": Content(
        """
SELECT truck_id, cost, amount, per, from_date, to_date FROM core.cost
WHERE from_date <= :last AND to_date > :first ORDER BY cost, truck_id NULLS FIRST, from_date""",
        ("truck_id", "cost", "amount", "per", "from_date", "to_date"),
        ("truck_id",),
    ),
    "data/trucks.csv": Content(
        """
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)'),
       coalesce(truck.in_details, false), first_sale_on
FROM core.truck FULL JOIN (
    SELECT truck_id, min(business_date) AS first_sale_on FROM mart.sales_hourly
    WHERE business_date <= :last GROUP BY truck_id
) AS began USING (truck_id)
ORDER BY truck_id""",
        ("truck_id", "truck", "in_details", "first_sale_on"),
        ("truck_id",),
    ),
}  # fmt: skip


def export(db: sa.Connection, scope: Scope, folder: Path) -> dict[str, dict[str, Any]]:
    """Write every table into a folder; by path its rows and its query with the parameters as run."""
    spans = {"span_first": metrics.periods_until(scope, "month", MONTHS).first,
             "year_first": metrics.periods_until(scope, "month", 12).first}  # fmt: skip
    made = {}
    for path, content in CONTENTS.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        query = sa.text(content.sql)
        known = {name: one for name, one in (with_moments(scope) | spans).items() if name in query.compile().params}
        rows: Iterable[Any] = db.execute(query, known, execution_options={"yield_per": 10_000})
        made[path] = {"rows": tables.write(target, content.columns, rows), "sql": content.sql.strip(),
                      "parameters": {name: as_json(one) for name, one in known.items()}}  # fmt: skip
    return made


def as_json(value: Any) -> Any:
    """A parameter of a query as JSON holds it."""
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
