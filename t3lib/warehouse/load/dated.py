"""A change of menus, costs or pitches: which days it moves, what it makes of their goods and their contribution."""

import json
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from t3lib.business_day import today
from t3lib.warehouse.db.connection import hash_joins
from t3lib.warehouse.load import history, places
from t3lib.warehouse.sales import rollups

if TYPE_CHECKING:
    import pandas as pd

# Each truck's contribution on each of some days, as `t3lib.metrics` computes it: see `margins.contributions`.
Measure = Callable[[sa.Connection, date, date], "pd.DataFrame"]

TruckDays = AbstractSet[tuple[int, date]]

_PLACED = " Sales belong to other places now; their sums are as before."
_FIRST_SOLD = sa.text("SELECT min(business_date) FROM mart.sales_hourly")
_MENU_TYPES = sa.text("""
    SELECT sold.truck_id, business_date, sold.price_pence, menu_type
    FROM mart.price_daily AS sold
    JOIN core.menu_price AS menu ON menu.truck_id = sold.truck_id AND menu.price_pence = sold.price_pence
                                AND menu.days @> business_date
    WHERE business_date BETWEEN :first AND :last AND business_date < :today
""")
_RECORD = sa.text("""
    INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before, pence_after,
                                 keys, actor, why, contribution_before, contribution_after)
    SELECT :cause, truck_id, business_date, transactions, transactions, gross_sales_pence, gross_sales_pence,
           ARRAY[:key], :actor, why, before, after
    FROM jsonb_to_recordset(CAST(:moved AS jsonb)) AS moved
         (truck_id integer, business_date date, transactions bigint, gross_sales_pence bigint, before bigint,
          after bigint, why text)
    ORDER BY business_date, truck_id
""")


@dataclass(frozen=True)
class Version:
    """A version of a list: its records as a JSON array, the business day from which it counts, its file."""

    records: str
    day: date
    file_id: int | None


@dataclass(frozen=True)
class Cause:
    """Why a list changes: the code of a cause, the key of its file, and the person and reason, where there is one."""

    cause: str
    key: str
    actor: str = ""
    why: str = ""


def change(db: sa.Connection, name: str, version: Version, cause: Cause, measure: Measure) -> int:
    """Let a version take its place in a list's history; returns on how many truck days that are over it moved money.

    The cost of goods and the places of the sales of changed days are recomputed. Each truck's day (truck 0: the
    fleet's own costs) whose contribution, menu types or places moved is recorded as a restatement, with what the
    contribution was and is."""
    found = history.state(db, name, version.records, version.day, version.file_id)
    if found is None:
        return 0
    first, last = places.whole(db, *found) if name == "pitch" else found
    before = measured(db, first, last, measure)
    types = _menu_types(db, name, first, last)
    placed = _replace(db, name, first, last)
    now = _menu_types(db, name, first, last) if types else types  # a first menu moves no sales from type to type
    retyped = {(truck, day) for truck, day, _, _ in types ^ now}
    return record(db, before, measured(db, first, last, measure), retyped, cause, placed)


def tell(db: sa.Connection) -> None:
    """Raise the version that pages poll."""
    db.execute(sa.text("UPDATE mart.watermark SET version = version + 1"))
    db.execute(sa.text("SELECT pg_notify('t3_loaded', version::text) FROM mart.watermark"))


def measured(db: sa.Connection, first: date, last: date, measure: Measure) -> "pd.DataFrame | None":
    """Each truck's contribution on those of the days that are over; None without any."""
    sold = db.scalar(_FIRST_SOLD)
    first, last = max(first, sold or last), min(last, today() - timedelta(days=1))
    return None if sold is None or first > last else measure(db, first, last)


def _replace(db: sa.Connection, name: str, first: date, last: date) -> TruckDays:
    """Let the new history and its rollups take over; returns the truck days whose sales belong to other places now."""
    stays = places.stays(db) if name == "pitch" else set()
    history.replace(db, name)
    if name == "menu_item":
        rollups.value_goods(db, first, last)
    return places.move(db, first, last) if name == "pitch" and stays != places.stays(db) else set()


def _menu_types(db: sa.Connection, name: str, first: date, last: date) -> set[tuple[Any, ...]]:
    """The menu type of each price that a truck sold on those of the days that are over, where a menu changes."""
    if name != "menu_item":
        return set()
    with hash_joins(db):
        return set(map(tuple, db.execute(_MENU_TYPES, {"first": first, "last": last, "today": today()})))


def record(
    db: sa.Connection, before: "pd.DataFrame | None", after: "pd.DataFrame | None", retyped: TruckDays, cause: Cause,
    placed: TruckDays = frozenset(),
) -> int:  # fmt: skip
    """Record as restatements the truck days whose contribution, menu types (`retyped`) or places (`placed`) moved;
    returns how many."""
    if before is None or after is None:
        return 0
    both = after.merge(before, "outer", on=["truck_id", "business_date"], suffixes=("", "_before"))
    both = both.fillna(0).rename(columns={"contribution_pence": "after", "contribution_pence_before": "before"})
    both = both.astype(dict.fromkeys(("transactions", "gross_sales_pence", "before", "after"), "int64"))
    days = list(zip(both["truck_id"], both["business_date"], strict=True))
    both = both.assign(why=[cause.why or f"A new version of {cause.key}.{_PLACED if day in placed else ''}"
                            for day in days])  # fmt: skip
    differs = (both["after"] != both["before"]).tolist()
    moved = both[[money or day in retyped or day in placed for money, day in zip(differs, days, strict=True)]]
    if len(moved):
        columns = ["truck_id", "business_date", "transactions", "gross_sales_pence", "before", "after", "why"]
        rows: list[dict[str, Any]] = moved[columns].to_dict("records")
        given = {"moved": json.dumps(rows, default=_json_value), "cause": cause.cause, "key": cause.key,
                 "actor": cause.actor}  # fmt: skip
        db.execute(_RECORD, given)
    return len(moved)


def _json_value(value: Any) -> Any:
    """A value of a frame as JSON has it."""
    return value.isoformat() if hasattr(value, "isoformat") else int(value)
