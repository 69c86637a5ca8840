"""Where a rollup differs from the rows that it sums up, and rebuilding exactly its wrong rows."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from t3lib.money import pounds
from t3lib.warehouse.sales.rollups import EVER, GOODS, HOURLY_KEY, PRICE_KEY, SOLD_KEY, definition


@dataclass(frozen=True)
class Rollup:
    """A table of mart, its key, and its values, the first of which is a count; `source` is the table it sums up."""

    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    source: str = "core.sale"


ROLLUPS = {
    "hourly": Rollup("mart.sales_hourly", HOURLY_KEY, ("transactions", "total_pence")),
    "price": Rollup("mart.price_daily", PRICE_KEY, ("transactions", *GOODS)),
    "sold": Rollup("mart.price_hourly", SOLD_KEY, ("transactions",)),
    "rejected": Rollup("mart.rejected_daily", ("business_date", "truck_id", "reason"), ("rows",), "ops.rejected_row"),
}

# One row per key in which the rollup and its definition differ. Rows without a day belong to every range.
_APART = """
    WITH sides AS (
        SELECT {columns}, true AS is_kept FROM {table}
        WHERE coalesce(business_date BETWEEN :first AND :last, true)
        UNION ALL
        SELECT {columns}, false AS is_kept FROM ({definition}) AS made
    )

    SELECT {key}, bool_or(NOT is_kept) AS is_made, {sums}
    FROM sides
    GROUP BY {key}
    HAVING NOT (bool_or(is_kept) AND bool_or(NOT is_kept) AND {same})
"""
_DAYS = """
    SELECT truck_id, business_date, count(*) AS rows,
           ARRAY[{kept}]::bigint[] AS kept, ARRAY[{made}]::bigint[] AS made
    FROM ({apart}) AS apart
    GROUP BY truck_id, business_date
    ORDER BY business_date, truck_id
"""
_WRONG = "CREATE TEMP TABLE apart ON COMMIT DROP AS SELECT * FROM ({apart}) AS found WHERE truck_id <> ALL(:without)"
_DELETE = "DELETE FROM {table} AS kept USING apart WHERE {matches}"
_INSERT = "INSERT INTO {table} ({columns}) SELECT {key}, {made} FROM apart WHERE is_made ORDER BY {key}"
# The rollup is corrected already: the figures before are those now minus the correction.
_RESTATED = """
    WITH moved AS (
        SELECT truck_id, business_date, sum(transactions_made - transactions_kept)::bigint AS rows,
               sum(total_pence_made - total_pence_kept)::bigint AS pence
        FROM apart
        GROUP BY truck_id, business_date
    )

    INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
                                 keys, actor, why)
    SELECT 'rebuild', truck_id, business_date, existing.rows - moved.rows, existing.rows, existing.pence - moved.pence,
           existing.pence, ARRAY['mart.sales_hourly'], :actor, :why
    FROM moved
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(transactions), 0)::bigint AS rows, coalesce(sum(total_pence), 0)::bigint AS pence
        FROM mart.sales_hourly AS hourly
        WHERE hourly.business_date = moved.business_date AND hourly.truck_id = moved.truck_id
    ) AS existing
    ORDER BY truck_id, business_date
"""


_PENCE = {"total_pence": "of sales", "goods_pence": "of goods", "without_goods_pence": "of sales without a unit cost"}


@dataclass(frozen=True)
class ApartDay:
    """A truck's business day (None: rejects without any) on which so many rows of a rollup are wrong.

    kept: the transactions or rejects that those rows hold, or else the pence `of` a figure; made: what they should
    hold."""

    truck_id: int
    business_date: date | None
    rows: int
    kept: int
    made: int
    of: str = ""

    def __str__(self) -> str:
        day = self.business_date or "an unknown day"
        where = f"{self.rows:,} rows hold" if self.rows > 1 else "a row holds"
        kept, made = (f"{value:,}" if not self.of else pounds(value) for value in (self.kept, self.made))
        said = f" {_PENCE[self.of]}" if self.of else ""
        return f"truck {self.truck_id} on {day} ({where} {kept}{said}, right is {made})"


def days(db: sa.Connection, name: str) -> list[ApartDay]:
    """The days on which a rollup differs, oldest first; one statement, so a load at the same time is no difference."""
    return _listed(db, name, _apart(name), {"first": EVER[0], "last": EVER[1]})


def correct(
    db: sa.Connection, name: str, first: date, last: date, without: list[int], *, actor: str, why: str
) -> list[ApartDay]:
    """Rebuild the wrong rows of a rollup, except those of some trucks, and record which figures that changed.

    Nothing else may write meanwhile: see rollup_repair.rebuild."""
    rollup, apart = ROLLUPS[name], _apart(name)
    parts = {
        "table": rollup.table,
        "key": ", ".join(rollup.key),
        "columns": ", ".join((*rollup.key, *rollup.values)),
        "made": ", ".join(f"{value}_made" for value in rollup.values),
        "matches": " AND ".join(f"kept.{column} IS NOT DISTINCT FROM apart.{column}" for column in rollup.key),
    }
    db.execute(sa.text(_WRONG.format(apart=apart)), {"first": first, "last": last, "without": without})
    found = _listed(db, name, "SELECT * FROM apart", {})
    db.execute(sa.text(_DELETE.format(**parts)))
    db.execute(sa.text(_INSERT.format(**parts)))
    if name == "hourly":
        db.execute(sa.text(_RESTATED), {"actor": actor, "why": why})
    db.execute(sa.text("DROP TABLE apart"))
    return found


def _listed(db: sa.Connection, name: str, apart: str, bounds: dict[str, date]) -> list[ApartDay]:
    """The days of some wrong rows, each with the first of its figures that is wrong."""
    values = ROLLUPS[name].values
    kept, made = (", ".join(f"sum({value}_{side})" for value in values) for side in ("kept", "made"))
    found = []
    for truck, day, rows, has, right in db.execute(sa.text(_DAYS.format(apart=apart, kept=kept, made=made)), bounds):
        wrong = next((number for number, pair in enumerate(zip(has, right, strict=True)) if pair[0] != pair[1]), 0)
        found.append(ApartDay(truck, day, rows, has[wrong], right[wrong], values[wrong] if wrong else ""))
    return found


def _apart(name: str) -> str:
    rollup = ROLLUPS[name]
    kept = {value: f"coalesce(sum({value}) FILTER (WHERE is_kept), 0)" for value in rollup.values}
    made = {value: f"coalesce(sum({value}) FILTER (WHERE NOT is_kept), 0)" for value in rollup.values}
    return _APART.format(
        table=rollup.table,
        definition=definition(name),
        key=", ".join(rollup.key),
        columns=", ".join((*rollup.key, *rollup.values)),
        sums=", ".join(f"{kept[v]} AS {v}_kept, {made[v]} AS {v}_made" for v in rollup.values),
        same=" AND ".join(f"{kept[v]} = {made[v]}" for v in rollup.values),
    )
