"""Writing the days that committed transactions marked in ops.archive_mark."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from t3lib import warehouse
from t3lib.archive.layout import Day, split
from t3lib.archive.store import Archive, each
from t3lib.settings import settings
from t3lib.warehouse.db import locks
from t3lib.warehouse.db.cursor import Cursor, transaction
from t3lib.warehouse.sales import rollups
from t3lib.warehouse.sales.change import SALE_SCHEMA

PORTION_DAYS, PORTION_ROWS = 500, 250_000

# One writer at a time, so that an older state never overwrites a newer one. Loads do not wait for it.
_LOCK = locks.ACQUIRE.format(locks.ARCHIVE)
_WAITING = sa.text("""
    WITH day AS (SELECT DISTINCT business_date, truck_id FROM ops.archive_mark)

    SELECT day.business_date, day.truck_id, coalesce(sum(hourly.transactions), 0) AS rows
    FROM day
    LEFT JOIN mart.sales_hourly AS hourly USING (business_date, truck_id)
    GROUP BY day.business_date, day.truck_id
    ORDER BY date_trunc('month', day.business_date) DESC, day.truck_id, day.business_date
""")
_SINCE = sa.text("""
    SELECT count(DISTINCT (business_date, truck_id)) AS days, min(marked_at) AS since FROM ops.archive_mark
""")
# The marks of this portion; those that commit later stay, and their days are written again.
_SEEN = """
    CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
    SELECT mark_id, business_date, truck_id FROM ops.archive_mark JOIN portion USING (business_date, truck_id)
"""
_SALES = """
    SELECT sale.truck_id, sale.file_id::bigint, sale.row_number, sale.sold_at, sale.business_date,
           sale.local_hour, sale.payment_type, sale.total_pence, sale.flags
    FROM core.sale
    JOIN portion USING (business_date, truck_id)
    WHERE sale.business_date BETWEEN $1 AND $2 AND sale.truck_id = ANY($3)
"""
_KEYS = "SELECT file_id, key FROM ops.source_file WHERE file_id = ANY($1)"
# Without an archive the marks are kept until there is one: one per day and truck is enough.
_THIN_OUT = """
    DELETE FROM ops.archive_mark AS mark USING ops.archive_mark AS older
    WHERE (mark.business_date, mark.truck_id) = (older.business_date, older.truck_id) AND older.mark_id < mark.mark_id
"""
_MARK_SOLD = """
    INSERT INTO ops.archive_mark (business_date, truck_id)
    SELECT DISTINCT business_date, truck_id FROM core.sale WHERE business_date >= :first AND business_date < :next
"""
_MARK = "INSERT INTO ops.archive_mark (business_date, truck_id) VALUES (:business_date, :truck_id)"
_EVER = (date(1900, 1, 1), date(2999, 1, 1))

Advance = Callable[[int, int], Any]


def write(advance: Advance = lambda done, total: None) -> int:
    """Write every day that is marked; returns how many. Without T3_ARCHIVE_URL the marks stay.

    May be killed and repeated at any moment: a day loses its marks after its object is written."""
    if settings().archive_url is None:
        with warehouse.connect() as db:
            db.execute(sa.text(_LOCK))
            db.execute(sa.text(_THIN_OUT))
        return 0
    archive, done = Archive(), 0
    with warehouse.connect() as db:
        days = [(Day(row.business_date, row.truck_id), int(row.rows)) for row in db.execute(_WAITING)]
    for portion in _portions(days):
        done += _write(archive, portion)
        advance(done, len(days))
    return done


def waiting(db: sa.Connection) -> tuple[int, datetime | None]:
    """How many days wait to be written, and since when the first one has waited."""
    found = db.execute(_SINCE).one()
    return found.days, found.since


def rebuild(month: str | None = None, advance: Advance = lambda done, total: None) -> int:
    """Rewrite a month (YYYY-MM; everything by default) and remove Parquet files that the archive did not write.

    Trusts no mark: takes the days from the sales and from the archive itself. Returns the number of days written,
    which includes what waits in other months."""
    archive = Archive()
    found, foreign = archive.days(month)
    for key in foreign:
        archive.delete(key)
    first, following = _bounds(month)
    with warehouse.connect() as db:
        db.execute(sa.text(_MARK_SOLD), {"first": first, "next": following})
        if found:
            db.execute(sa.text(_MARK), [vars(day) for day in found])
    return write(advance)


def _bounds(month: str | None) -> tuple[date, date]:
    if month is None:
        return _EVER
    first = date.fromisoformat(f"{month}-01")
    return first, date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _portions(days: list[tuple[Day, int]]) -> list[list[Day]]:
    """Days that are read and written together, bounded in days and rows to bound the memory."""
    portions: list[list[Day]] = []
    rows = 0
    for day, size in days:
        if not portions or rows + size > PORTION_ROWS or len(portions[-1]) >= PORTION_DAYS:
            portions.append([])
            rows = 0
        portions[-1].append(day)
        rows += size
    return portions


def _write(archive: Archive, days: list[Day]) -> int:
    with transaction() as cursor:
        cursor.execute(_LOCK)
        wanted = _claim(cursor, days)
        if wanted:
            sales = split(_read(cursor, wanted))
            list(each(wanted, lambda day: archive.replace(day, sales.get(day))))
            _unmark(cursor)
    return len(wanted)


def _claim(cursor: Cursor, days: list[Day]) -> list[Day]:
    """The days among these that are still marked, now that no other writer is at work."""
    dates, trucks = (pa.array([getattr(day, name) for day in days]) for name in ("business_date", "truck_id"))
    portion = pa.table({"business_date": dates, "truck_id": trucks.cast(pa.int32())})
    cursor.temporary_table("portion", portion)
    cursor.execute(_SEEN)
    found = cursor.execute("SELECT DISTINCT business_date, truck_id FROM seen").table()
    return [Day(**row) for row in found.to_pylist()]


def _read(cursor: Cursor, days: list[Day]) -> pa.Table:
    """The sales of some days, with the key that each came from and where it was made."""
    dates, trucks = [day.business_date for day in days], sorted({day.truck_id for day in days})
    sales = cursor.copy_out(_SALES, [min(dates), max(dates), trucks], SALE_SCHEMA)
    pitches = cursor.execute("SELECT truck_id, location_id, from_at, to_at FROM core.pitch").table()
    sales = sales.append_column("location_id", pa.array(rollups.locate(sales, pitches), pa.int32()))
    return sales.append_column("source_key", _keys(cursor, sales["file_id"]))


def _keys(cursor: Cursor, file_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The key of each row's object; looked up once per file, not fetched with every row."""
    if not len(file_ids):
        return pa.chunked_array([], pa.string())
    files = cursor.execute(_KEYS, [pc.unique(file_ids).to_pylist()]).table()
    return files["key"].take(pc.index_in(file_ids, files["file_id"].combine_chunks()))


def _unmark(cursor: Cursor) -> None:
    cursor.execute("DELETE FROM ops.archive_mark USING seen WHERE archive_mark.mark_id = seen.mark_id")
