"""Rebuilds the rows of rollups that differ from sales and rejects, while no load runs. Changes nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from t3lib.warehouse.checks import reconciliation
from t3lib.warehouse.checks.rollup_differences import ROLLUPS, ApartDay, correct, days
from t3lib.warehouse.db import locks
from t3lib.warehouse.db.connection import connect
from t3lib.warehouse.files import audit
from t3lib.warehouse.load import dated
from t3lib.warehouse.load.dated import Cause, Measure
from t3lib.warehouse.sales.rollups import EVER

_NAMED = 5

# Every change of figures by T3 shares the lock of the dimensions; this lock keeps other writers out.
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
        return f"{self.table}: {rows} rebuilt; {named}{more}"


def rebuild(measure: Measure, *, actor: str, why: str, url: str | None = None) -> list[Rebuilt]:
    """Correct the wrong rows of every rollup in one transaction; returns what was corrected.

    It waits until running loads have committed; new ones wait for it. Trucks whose ledger, sales and rejects disagree
    are left alone: their true figures are not known. measure: how contribution is computed, which a wrong cost of goods
    moves."""
    actor, why = audit.named(actor), audit.reasoned(why)
    with connect(url) as db:
        found = {name: apart for name in ROLLUPS if (apart := days(db, name))}
    if not found:
        return []
    with connect(url) as db:
        db.exec_driver_sql(locks.DIMENSIONS_EXCLUSIVE)
        db.execute(sa.text(_TABLES))
        unsound = reconciliation.unsound(db, sorted({day.truck_id for apart in found.values() for day in apart}))
        done = [_rebuild(db, name, apart, unsound, measure, actor, why) for name, apart in found.items()]
        done = [rebuilt for rebuilt in done if rebuilt.rows]
        for rebuilt in done:
            audit.write(db, "rebuild", str(rebuilt), actor, why)
        if done:
            db.execute(sa.text(_WATERMARK))
            db.execute(sa.text(_NOTIFY))
    return done


def _rebuild(
    db: sa.Connection, name: str, apart: list[ApartDay], unsound: list[int], measure: Measure, actor: str, why: str
) -> Rebuilt:
    """Month by month, so that only partitions with wrong days are read while loads wait."""
    corrected: list[ApartDay] = []
    for first, last in _ranges([day.business_date for day in apart]):
        before = dated.measured(db, first, last, measure) if name == "price" else None
        corrected += correct(db, name, first, last, unsound, actor=actor, why=why)
        if name == "price":
            cause = Cause("rebuild", ROLLUPS[name].table, actor, why)
            dated.record(db, before, dated.measured(db, first, last, measure), set(), cause)
    return Rebuilt(ROLLUPS[name].table, sum(day.rows for day in corrected), corrected)


def _ranges(apart: list[date | None]) -> Iterator[tuple[date, date]]:
    """First and last wrong day of each month; rejects without a day belong to every range."""
    months: dict[tuple[int, int], list[date]] = {}
    for day in (day or EVER[0] for day in apart):
        months.setdefault((day.year, day.month), []).append(day)
    for found in months.values():
        yield min(found), max(found)
