"""A person lets what a list says today count for days before, on purpose: `t3 menu apply`."""

import json
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from t3lib.business_day import today
from t3lib.feed.metadata import read_metadata
from t3lib.landing import Landing, ObjectChangedError
from t3lib.money import pounds
from t3lib.problems import RefusedError
from t3lib.warehouse.db import locks
from t3lib.warehouse.files import audit
from t3lib.warehouse.load import dated, dimension_effects
from t3lib.warehouse.load.dated import Cause, Measure, Version

LISTS = {"menu": ("menu_item", "metadata/menu.csv"), "costs": ("cost", "metadata/costs.csv"),
         "pitches": ("pitch", "metadata/pitches.csv")}  # fmt: skip
APPLY = "apply"
# The decisions to apply a list that were taken before a moment, oldest first.
DECISIONS = sa.text("""
    SELECT made_at, split_part(subject, ' from ', 1) AS key, split_part(subject, ' from ', 2) AS first_day, actor, why
    FROM ops.audit WHERE action = 'apply' AND made_at < :before ORDER BY audit_id
""")

# What holds today from :day on, and what is to come as it stands.
_TODAY = {
    "menu_item": """
        SELECT truck_id, menu_item, menu_type, price_pence, unit_cost_pence, vat_pct, file_id,
               CASE WHEN days @> CAST(:today AS date) THEN NULL ELSE lower(on_menu) END AS from_at,
               upper(on_menu) AS to_at
        FROM core.menu_item WHERE upper(days) > :today
    """,
    "cost": """
        SELECT truck_id, cost, amount, per, file_id,
               CASE WHEN from_date <= :today THEN NULL ELSE from_date END AS from_date, to_date
        FROM core.cost WHERE to_date > :today
    """,
}
_RECORDS = "SELECT coalesce(jsonb_agg(now), '[]')::text FROM ({query}) AS now"
_WAITING = sa.text("SELECT count(*) FROM ops.again_file WHERE outcome IS NULL")
_LOADED = sa.text("SELECT file_id, key, etag FROM ops.source_file WHERE key = :key AND state = 'loaded'")
_WITHOUT_GOODS = sa.text(
    "SELECT coalesce(sum(without_goods_pence), 0) FROM mart.price_daily WHERE business_date >= :day"
)


@dataclass(frozen=True)
class Applied:
    """What applying a list to the past did: truck days whose contribution, menu types or places moved, files that wait
    to be cleaned again because the menu of their days is another one now, and by how many pence the sales without a
    known unit cost grew."""

    truck_days: int
    files: int
    without_goods_pence: int = 0

    def __str__(self) -> str:
        said = [f"Applied: {self.truck_days:,} truck {'day was' if self.truck_days == 1 else 'days were'} restated."]
        if self.files:
            said.append(f"Files that are cleaned again: {self.files:,}.")
        if self.without_goods_pence > 0:
            said.append(
                f"{pounds(self.without_goods_pence)} of sales have no cost of goods any more: no dish of the menu "
                "has their price. Give the old price a row with `from` and `to` in menu.csv."
            )
        return " ".join(said)


def apply(
    db: sa.Connection, of: str, day: date, measure: Measure, *, actor: str, why: str, on: date | None = None
) -> Applied:
    """Let what a list ('menu', 'costs' or 'pitches') says today count from an earlier business day on. Raises
    RefusedError.

    What counts only from a day to come stays so. Every truck day of which contribution, menu types or places
    move is a restatement.
    on: the business day that counts as today, where an earlier decision is repeated."""
    on = on or today()
    actor, why = audit.named(actor), audit.reasoned(why)
    if of not in LISTS:
        raise RefusedError(f"There is no list {of!r}: choose one of {', '.join(LISTS)}.")
    if day > on:
        raise RefusedError(f"{day} is still to come: write the day into the column FROM of the file instead.")
    name, key = LISTS[of]
    db.exec_driver_sql(locks.DIMENSIONS_EXCLUSIVE)
    version = _version(db, name, key, day, on)
    if version.records == "[]":
        raise RefusedError(f"Nothing of {key} holds today: upload it first.")
    before = dimension_effects.snapshot(db)
    waiting, without = db.scalar(_WAITING) or 0, _without_goods(db, day)
    audit.write(db, APPLY, f"{key} from {day}", actor, why)  # as `DECISIONS` reads it
    cause = Cause("applied", key, actor, why)
    moved = dated.change(db, name, version, cause, measure)
    dimension_effects.apply(db, before)
    dated.tell(db)
    return Applied(moved, (db.scalar(_WAITING) or 0) - waiting, _without_goods(db, day) - without)


def _version(db: sa.Connection, name: str, key: str, day: date, on: date) -> Version:
    """What a list says today, to count from a day on. A stay names its days itself, and stays that pitches.csv no
    longer names are still in the history: what it says today is in the file alone."""
    if name in _TODAY:
        given = db.scalar(sa.text(_RECORDS.format(query=_TODAY[name])), {"today": on})
        return Version(given or "[]", day, None)
    loaded = db.execute(_LOADED, {"key": key}).one_or_none()
    if loaded is None:
        raise RefusedError(f"There is no {key}: upload it first.")
    try:
        content = Landing().read(loaded.key, loaded.etag)
    except ObjectChangedError:
        raise RefusedError(f"{key} has changed in the bucket: run `t3 ingest` first.") from None
    return Version(json.dumps(read_metadata(key, content)[name]), day, loaded.file_id)


def _without_goods(db: sa.Connection, day: date) -> int:
    return int(db.scalar(_WITHOUT_GOODS, {"day": day}) or 0)
