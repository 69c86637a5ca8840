"""The proof that the archive and the database agree, day by day, to the row and the penny."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from t3lib.archive.layout import Day
from t3lib.archive.store import Archive, each
from t3lib.archive.writing import waiting
from t3lib.money import pounds
from t3lib.problems import error_line
from t3lib.settings import settings
from t3lib.warehouse.checks.reconciliation import Check

GRACE = timedelta(minutes=15)
UNREADABLE = (-1, -1)

_SALES = """
    SELECT business_date, truck_id, count(*) AS rows, sum(total_pence)::bigint AS pence
    FROM core.sale
    {where}
    GROUP BY business_date, truck_id
"""
_MARKED = "SELECT DISTINCT business_date, truck_id FROM ops.archive_mark"

Sums = tuple[int, int]
Advance = Callable[[int, int], Any]


@dataclass(frozen=True)
class Difference:
    """A day that is not the same in both, or a file that does not belong there; `why` is a sentence."""

    partition: str
    business_date: date | None
    archive_rows: int
    archive_pence: int
    database_rows: int
    database_pence: int
    why: str


@dataclass(frozen=True)
class Verification:
    """What was compared. Figures are the archive's."""

    partitions: int
    days: int
    rows: int
    pence: int
    waiting: int
    differences: list[Difference] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every partition has the database's rows and pence."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """The same for programs."""
        return {"ok": self.ok, **asdict(self)}


def verify(db: sa.Connection, month: str | None = None, advance: Advance = lambda done, total: None) -> Verification:
    """Compare the objects with core.sale; days that differ are read a second time, since loads may run meanwhile."""
    archive = Archive()
    found, foreign = archive.days(month)
    kept = _kept(archive, found, advance)
    sold, marked = _sold(db, month), _marked(db)
    differing = _differing(kept, sold)
    if any(day not in marked for day in differing):
        kept = {day: sums for day, sums in kept.items() if day not in differing} | _kept(archive, differing)
        sold, marked = _sold(db, month), _marked(db)
    differences = [_difference(day, kept.get(day), sold.get(day), marked) for day in _differing(kept, sold)]
    rows, pence = (sum(sums[n] for sums in kept.values() if sums != UNREADABLE) for n in (0, 1))
    partitions = len({(day.month, day.truck_id) for day in kept})
    return Verification(
        partitions, len(kept), rows, pence, len(marked), differences + [_foreign_file(key) for key in foreign]
    )


def check(db: sa.Connection) -> Check:
    """The same for `t3 doctor`; days that have waited for less than GRACE are no fault."""
    if settings().archive_url is None:
        return Check("archived", True, "no archive is kept: T3_ARCHIVE_URL is not set")
    try:
        found = verify(db)
    except Exception as error:
        return Check("archived", False, error_line(error))
    days, since = waiting(db)
    late = since is not None and datetime.now(UTC) - since > GRACE
    wrong = [difference for difference in found.differences if late or not difference.why.startswith("waits")]
    detail = f"{found.partitions:,} partitions hold {found.rows:,} sales, {pounds(found.pence)}"
    detail += f"; {days:,} days wait to be written" if days else ""
    if wrong:
        named = "; ".join(f"{d.partition} {d.business_date or ''}: {d.why}" for d in wrong[:3])
        detail += f"; {len(wrong):,} differ, try `t3 archive rebuild`: {named}"
    return Check("archived", not wrong and not late, detail)


def _differing(kept: dict[Day, Sums], sold: dict[Day, Sums]) -> list[Day]:
    return [day for day in sorted(kept.keys() | sold.keys()) if kept.get(day) != sold.get(day)]


def _kept(archive: Archive, days: list[Day], advance: Advance = lambda done, total: None) -> dict[Day, Sums]:
    """Rows and pence of each day that has an object."""
    kept: dict[Day, Sums] = {}
    for done, (day, sums) in enumerate(zip(days, each(days, lambda day: _sums(archive, day)), strict=True), 1):
        if sums is not None:
            kept[day] = sums
        advance(done, len(days))
    return kept


def _sums(archive: Archive, day: Day) -> Sums | None:
    try:
        sales = archive.read_day(day, ["total_pence"])
    except (pa.ArrowException, FileNotFoundError):
        return UNREADABLE
    return None if sales is None else (sales.num_rows, pc.sum(sales["total_pence"], min_count=0).as_py())


def _sold(db: sa.Connection, month: str | None) -> dict[Day, Sums]:
    where = "WHERE to_char(business_date, 'YYYY-MM') = :month" if month else ""
    found = db.execute(sa.text(_SALES.format(where=where)), {"month": month} if month else {})
    return {Day(row.business_date, row.truck_id): (row.rows, row.pence) for row in found}


def _marked(db: sa.Connection) -> set[Day]:
    return {Day(*row) for row in db.execute(sa.text(_MARKED))}


def _difference(day: Day, kept: Sums | None, sold: Sums | None, marked: set[Day]) -> Difference:
    why = "waits to be written" if day in marked else "is not what the database holds"
    if kept == UNREADABLE:
        kept, why = None, "cannot be read as Parquet"
    return Difference(day.key.rpartition("/")[0], day.business_date, *(kept or (0, 0)), *(sold or (0, 0)), why)


def _foreign_file(key: str) -> Difference:
    return Difference(key.rpartition("/")[0], None, 0, 0, 0, 0, f"{key} was not written by the archive")
