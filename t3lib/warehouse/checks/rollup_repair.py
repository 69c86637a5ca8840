"""Rollups made anew where they differ from sales and rejects, while no load is under way. Nothing else is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.checks.rollup_differences import ROLLUPS, ApartDay, correct, days
from t3lib.warehouse.db import locks
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.files import audit
from t3lib.warehouse.sales.rollups import EVER

_NAMED = 5

# Every change of figures shares the lock of the dimensions; this one keeps out who does not ask for it.
_TABLES = f"LOCK TABLE {', '.join(rollup.table for rollup in ROLLUPS.values())} IN SHARE ROW EXCLUSIVE MODE"
_WATERMARK = "UPDATE mart.watermark SET version = version + 1"
_NOTIFY = "SELECT pg_notify('t3_loaded', version::text) FROM mart.watermark"


@dataclass(frozen=True)
class Rebuilt:
    """What was corrected in one rollup."""

    table: str
    rows: int
    days: list[ApartDay]

    def __str__(self) -> str:
        named = ", ".join(map(str, self.days[:_NAMED]))
        more = f" and {len(self.days) - _NAMED:,} more days" if len(self.days) > _NAMED else ""
        rows = f"{self.rows:,} rows" if self.rows > 1 else "a row"
        return f"{self.table}: {rows} made anew; {named}{more}"


def rebuild(*, actor: str, why: str, url: str | None = None) -> list[Rebuilt]:
    """Correct the wrong rows of every rollup in one transaction; what was done, nothing where all agree.

    Waits until the loads under way have committed, and lets the next begin when it has. Trucks whose ledger, sales
    and rejects disagree are left alone: what they are made of is not known."""
    actor, why = audit.named(actor), audit.reasoned(why)
    with connect(url) as db:
        found = {name: apart for name in ROLLUPS if (apart := days(db, name))}
    if not found:
        return []
    with connect(url) as db:
        db.exec_driver_sql(locks.DIMENSIONS_ALONE)
        db.execute(sa.text(_TABLES))
        unsound = reconciliation.unsound(db, sorted({day.truck_id for apart in found.values() for day in apart}))
        done = [_rebuild(db, name, apart, unsound, actor, why) for name, apart in found.items()]
        done = [rebuilt for rebuilt in done if rebuilt.rows]
        for rebuilt in done:
            audit.write(db, "rebuild", str(rebuilt), actor, why)
        if done:
            db.execute(sa.text(_WATERMARK))
            db.execute(sa.text(_NOTIFY))
    return done


def _rebuild(db: sa.Connection, name: str, apart: list[ApartDay], unsound: list[int], actor: str, why: str) -> Rebuilt:
    """Month by month, so that only the partitions that need it are read while the loads wait."""
    corrected: list[ApartDay] = []
    for first, last in _ranges([day.business_date for day in apart]):
        corrected += correct(db, name, first, last, unsound, actor=actor, why=why)
    return Rebuilt(ROLLUPS[name].table, sum(day.rows for day in corrected), corrected)


def _ranges(apart: list[date | None]) -> Iterator[tuple[date, date]]:
    """First and last wrong day of each month; rejects without a day belong to every range."""
    months: dict[tuple[int, int], list[date]] = {}
    for day in (day or EVER[0] for day in apart):
        months.setdefault((day.year, day.month), []).append(day)
    for found in months.values():
        yield min(found), max(found)
