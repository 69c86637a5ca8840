"""The effects of changed trucks, pitches and menus on loaded sales."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from t3lib.settings import settings
from t3lib.warehouse.decisions import rejects
from t3lib.warehouse.decisions.decisions import RULES
from t3lib.warehouse.files import reprocessing, rulesets
from t3lib.warehouse.sales import rollups

# What cleaning needs to know of a truck: it flags cards without a reader, and trucks that details.xlsx lacks.
_TRUCKS = "SELECT truck_id, has_card_reader IS FALSE, in_details FROM core.truck WHERE in_details"
_PITCHES = "SELECT truck_id, location_id, from_at, to_at FROM core.pitch"
_PRICES = "SELECT DISTINCT truck_id, price_pence FROM core.menu_item"

_FLAGS = sa.text("""
    WITH validated AS (
        SELECT truck_id, file_id, row_number, business_date,
               (flags & ~(:card + :unknown))
               | CASE WHEN payment_type = 'card' AND truck_id = ANY(:without_reader) THEN :card ELSE 0 END
               | CASE WHEN truck_id = ANY(:known) THEN 0 ELSE :unknown END AS flags
        FROM core.sale
        WHERE truck_id = ANY(:trucks)
    ),

    warned AS (
        UPDATE core.sale SET flags = validated.flags
        FROM validated
        WHERE sale.truck_id = validated.truck_id AND sale.file_id = validated.file_id
          AND sale.row_number = validated.row_number AND sale.business_date = validated.business_date
          AND sale.flags <> validated.flags
        RETURNING sale.truck_id, sale.business_date
    )

    -- The figures stay; the update marks these days for the archive, which holds the flags.
    UPDATE mart.sales_hourly AS hourly SET transactions = hourly.transactions
    FROM (SELECT DISTINCT truck_id, business_date FROM warned) AS days
    WHERE hourly.truck_id = days.truck_id AND hourly.business_date = days.business_date
""")
_WARNINGS = sa.text("""
    UPDATE ops.source_file
    SET warnings = CASE WHEN truck_id = ANY(:known) THEN '{}' ELSE ARRAY['unknown_truck'] END
    WHERE truck_id = ANY(:trucks) AND state = 'loaded' AND rows_loaded > 0
""")
_EXISTING = """
    CREATE TEMP TABLE existing ON COMMIT DROP AS
    SELECT truck_id, business_date, location_id, sum(transactions) AS rows, sum(total_pence) AS pence
    FROM mart.sales_hourly
    GROUP BY truck_id, business_date, location_id
"""
# Sums per day stay; the row says that the day's sales belong to other places now.
_MOVED = """
    WITH rebuilt AS (
        SELECT truck_id, business_date, location_id, sum(transactions) AS rows, sum(total_pence) AS pence
        FROM mart.sales_hourly
        GROUP BY truck_id, business_date, location_id
    ),

    moved AS (
        SELECT DISTINCT truck_id, business_date FROM (TABLE rebuilt EXCEPT TABLE existing) AS changed
    )

    INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
                                 keys, why)
    SELECT 'metadata', truck_id, business_date, sum(rows), sum(rows), sum(pence), sum(pence),
           ARRAY['metadata/pitches.csv'], 'Sales belong to other places now; the sums are as before.'
    FROM moved
    JOIN rebuilt USING (truck_id, business_date)
    GROUP BY truck_id, business_date
    ORDER BY truck_id, business_date
"""
# Loaded sales that are 100 times a price on the new menu.
_SHIFTED = sa.text("""
    WITH shifted AS (
        SELECT truck_id, 100 * price_pence AS total_pence FROM core.menu_item WHERE truck_id = ANY(:trucks)
        EXCEPT
        SELECT truck_id, price_pence FROM core.menu_item
    ),

    sold AS (
        SELECT DISTINCT shifted.* FROM shifted
        JOIN mart.price_daily ON price_daily.truck_id = shifted.truck_id
                             AND price_daily.price_pence = shifted.total_pence
    )

    SELECT DISTINCT sale.file_id FROM core.sale
    JOIN sold USING (truck_id, total_pence)
    WHERE NOT EXISTS (SELECT FROM ops.rejected_row AS row
                      WHERE row.file_id = sale.file_id AND row.row_number = sale.row_number
                        AND row.status = 'repaired')
""")
_BY_MENU = ("decimal_shift", "above_limit")


@dataclass(frozen=True)
class Snapshot:
    """The dimensions that decide about sales, as sets of rows."""

    trucks: frozenset[tuple[Any, ...]]
    pitches: frozenset[tuple[Any, ...]]
    prices: frozenset[tuple[Any, ...]]


def snapshot(db: sa.Connection) -> Snapshot:
    """The dimensions as they are now."""
    return Snapshot(*(frozenset(map(tuple, db.execute(sa.text(query)))) for query in (_TRUCKS, _PITCHES, _PRICES)))


def apply(db: sa.Connection, before: Snapshot) -> None:
    """Bring flags, places and batches of loaded sales to the dimensions as they are now."""
    now = snapshot(db)
    if trucks := sorted({row[0] for row in before.trucks ^ now.trucks}):
        _set_flags(db, trucks, now)
    if before.pitches != now.pitches:
        db.execute(sa.text(_EXISTING))
        rollups.rebuild(db)
        db.execute(sa.text(_MOVED))
    if trucks := sorted({row[0] for row in before.prices ^ now.prices}):
        _reprocess(db, trucks)


def _set_flags(db: sa.Connection, trucks: list[int], now: Snapshot) -> None:
    known = [truck for truck, _, _ in now.trucks]
    without_reader = [truck for truck, without, _ in now.trucks if without]
    card, unknown = rulesets.FLAGS["card_without_reader"], rulesets.FLAGS["unknown_truck"]
    bound = {"trucks": trucks, "known": known, "without_reader": without_reader, "card": card, "unknown": unknown}
    db.execute(_FLAGS, bound)
    db.execute(_WARNINGS, {"trucks": trucks, "known": known})


def _reprocess(db: sa.Connection, trucks: list[int]) -> None:
    """Put the files with a row that the new menu validates differently into batches that reprocess them."""
    files = {*db.scalars(_SHIFTED, {"trucks": trucks}), *_validated_differently(db, trucks)}
    if files:
        why = "The menu changed."
        size = settings().batch_bytes
        reprocessing.claim(db, sorted(files), cause="metadata", actor=RULES, why=why, batch_bytes=size)


def _validated_differently(db: sa.Connection, trucks: list[int]) -> set[int]:
    """Files with an open reject that the rules now in force accept, or reject for another reason."""
    rows = [row for truck in trucks for reason in _BY_MENU
            for row in rejects.listed(db, truck=truck, reason=reason, limit=None)]  # fmt: skip
    names = ("file_id", "row_number", "reason", "suggested_pence")
    was = {tuple(row[name] for name in names) for row in rows}
    found = rejects.validate(db, rows)
    return {line[0] for line in was - {tuple(row[name] for name in names) for row in found.rejects.to_pylist()}}
