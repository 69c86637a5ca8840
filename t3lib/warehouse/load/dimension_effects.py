"""The effects of changed trucks and menus on loaded sales."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from t3lib.cleaning import Rulebook
from t3lib.cleaning.allowed import OF_DETAILS, OF_MENU, looks_at
from t3lib.cleaning.rule_cells import calls
from t3lib.settings import settings
from t3lib.warehouse.decisions import rejects
from t3lib.warehouse.decisions.decisions import RULES
from t3lib.warehouse.files import reprocessing, rulesets

# The cells of `2_clean` whose effects this module finds without cleaning again, by the hash of their text: it serves
# them in the words that they had when it was written. Any other cell that looks at menus or at details.xlsx, and each
# of these once it is edited, has all loaded files of the changed trucks reprocessed.
_SERVED = {
    "7ca7a820ab10": "decimal_shift",
    "763f113261bc": "above_limit",
    "037a7861d4c5": "card_without_reader",
    "143723f0b225": "unknown_truck",
}
# What cleaning needs to know of a truck: it flags cards without a reader, and trucks that details.xlsx lacks.
_TRUCKS = "SELECT truck_id, has_card_reader IS FALSE, in_details FROM core.truck WHERE in_details"
_PRICES = """
    SELECT truck_id, price_pence, lower(span), upper(span)
    FROM (SELECT truck_id, price_pence, unnest(range_agg(days)) AS span FROM core.menu_item
          GROUP BY truck_id, price_pence) AS priced
"""

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
# Loaded sales that are 100 times a price on the menu of their day, and no price on it.
_SHIFTED = sa.text("""
    WITH sold AS (
        SELECT DISTINCT sold.truck_id, sold.business_date, sold.price_pence AS total_pence
        FROM core.menu_price AS menu
        JOIN mart.price_daily AS sold ON sold.truck_id = menu.truck_id AND sold.price_pence = 100 * menu.price_pence
                                     AND menu.days @> sold.business_date
        WHERE menu.truck_id = ANY(:trucks)
          AND NOT EXISTS (SELECT FROM core.menu_item AS item
                          WHERE item.truck_id = sold.truck_id AND item.price_pence = sold.price_pence
                            AND item.days @> sold.business_date)
    )

    SELECT DISTINCT sale.file_id FROM core.sale
    JOIN sold USING (truck_id, business_date, total_pence)
    WHERE NOT EXISTS (SELECT FROM ops.rejected_row AS row
                      WHERE row.file_id = sale.file_id AND row.row_number = sale.row_number
                        AND row.status = 'repaired')
""")
_LOADED = sa.text("SELECT file_id FROM ops.source_file WHERE truck_id = ANY(:trucks) AND state = 'loaded'")
_BY_MENU = ("decimal_shift", "above_limit")


@dataclass(frozen=True)
class Snapshot:
    """The dimensions that decide about sales, as sets of rows."""

    trucks: frozenset[tuple[Any, ...]]
    prices: frozenset[tuple[Any, ...]]


def snapshot(db: sa.Connection) -> Snapshot:
    """The dimensions as they are now."""
    return Snapshot(*(frozenset(map(tuple, db.execute(sa.text(query)))) for query in (_TRUCKS, _PRICES)))


def apply(db: sa.Connection, before: Snapshot) -> None:
    """Bring flags and batches of loaded sales to the dimensions as they are now."""
    now, rules = snapshot(db), Rulebook.in_force()
    served = _served(rules)
    looked_at = frozenset[str]().union(*(looks_at(cell) for cell in rules.cells if cell not in served.values()))
    if trucks := sorted({row[0] for row in before.trucks ^ now.trucks}):
        if looked_at & OF_DETAILS:
            _reprocess(db, _loaded(db, trucks), "details.xlsx changed.")
        else:
            _set_flags(db, trucks, now, served)
    if trucks := sorted({row[0] for row in before.prices ^ now.prices}):
        files = _loaded(db, trucks) if looked_at & OF_MENU else _differing(db, trucks, served)
        _reprocess(db, files, "The menu changed.")


def _served(rules: Rulebook) -> dict[str, str]:
    """The cells of these rules, by code, whose effects are found here: behind all readings, so that the amount and the
    payment which they see are those of the sale."""
    last = max((number for number, cell in enumerate(rules.cells) if calls(cell, ("read",))), default=-1)
    cells = {Rulebook((cell,)).hash: cell for cell in rules.cells[last + 1 :]}
    return {code: cells[text] for text, code in _SERVED.items() if text in cells}


def _set_flags(db: sa.Connection, trucks: list[int], now: Snapshot, served: dict[str, str]) -> None:
    """Set the flags that these cells give; another flag stays as it is."""
    known = [truck for truck, _, _ in now.trucks]
    without_reader = [truck for truck, without, _ in now.trucks if without]
    card, unknown = (rulesets.FLAGS[code] if code in served else 0 for code in ("card_without_reader", "unknown_truck"))
    bound = {"trucks": trucks, "known": known, "without_reader": without_reader, "card": card, "unknown": unknown}
    db.execute(_FLAGS, bound)
    if unknown:
        db.execute(_WARNINGS, {"trucks": trucks, "known": known})


def _loaded(db: sa.Connection, trucks: list[int]) -> set[int]:
    return set(db.scalars(_LOADED, {"trucks": trucks}))


def _differing(db: sa.Connection, trucks: list[int], served: dict[str, str]) -> set[int]:
    """The files with a row that the new menu validates differently."""
    shifted = db.scalars(_SHIFTED, {"trucks": trucks}) if "decimal_shift" in served else ()
    return {*shifted, *_validated_differently(db, trucks)}


def _reprocess(db: sa.Connection, files: set[int], why: str) -> None:
    """Put files into batches that reprocess them."""
    if files:
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
