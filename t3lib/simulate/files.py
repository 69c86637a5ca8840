"""Keys and bodies of the files that trucks upload, in the layout of the real bucket."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from t3lib.simulate.dirt import Rows

LONDON = ZoneInfo("Europe/London")
BATCHES = (12, 15, 18, 21)
BATCH_HOURS = 3
LONGEST_DAY = 29 * 60  # the business day of the autumn change ends at 04:00, counted in summer time at 05:00
HEADER = "timestamp,type,total\n"
CLUTTER = {
    "readme.txt": b"Trucks upload here. Please leave the folders as they are.\n",
    "trucks/.DS_Store": b"\x00\x00\x00\x01Bud1",
    "historical/_SUCCESS": b"",
    "metadata/menu.csv.bak": b"truck_id,menu_item\n",
}
_EPOCH = date(1970, 1, 1).toordinal()


def sales_key(truck_id: int, day: date, hour: int, suffix: str, padded: bool = False) -> str:
    """The key of one truck's file for one batch; month and day are seldom zero-padded."""
    month, number = (f"{day:%m}", f"{day:%d}") if padded else (day.month, day.day)
    return f"trucks/{day.year}-{month}/{number}/{hour:02d}/T3_T{truck_id}_{suffix}.csv"


def history_key(truck_id: int) -> str:
    """The key of one truck's history."""
    return f"historical/TRUCK_DATA_HIST_{truck_id}.parquet"


def day_clutter(day: date) -> dict[str, bytes]:
    """Other files in a day's folder on the first of a month, which no ingest reads."""
    folder = f"trucks/{day.year}-{day.month}/{day.day}"
    return {
        f"{folder}/notes.txt": f"Checked {day:%d/%m/%Y}. All well.\n".encode(),
        f"{folder}/12/T3_T1_A1.csv.tmp": HEADER.encode(),
    }


def csv_body(rows: Rows, day: date) -> bytes:
    """A live file: stamps with +00:00, totals as text."""
    stamps = _stamp_texts(day)[rows.minute].tolist()
    for i, odd in rows.odd_stamps.items():
        stamps[i] = stamp_text(odd) if isinstance(odd, int) else odd
    lines = [f"{a},{b},{c}\n" for a, b, c in zip(stamps, rows.types, rows.totals, strict=True)]
    return (HEADER + "".join(lines)).encode()


def history_body(days: Iterable[tuple[date, Rows]]) -> bytes:
    """A history file: naive UTC stamps, unreadable ones and empty totals as null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = list(days)
    columns = {
        "timestamp": pa.array([second for day, rows in parts for second in _seconds(rows, day)], pa.timestamp("s")),
        "type": pa.array([text for _, rows in parts for text in rows.types], pa.string()),
        "total": pa.array([text or None for _, rows in parts for text in rows.totals], pa.string()),
    }
    table = pa.table(columns | {"timestamp": columns["timestamp"].cast(pa.timestamp("us"))})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def utc_minute(day: date, local_minute: int) -> int:
    """Minutes since 1970 of a local minute of a business date (1440 and more is after midnight).

    Nobody trades between the clock change at 01:00 UTC and 04:00, so the offset at noon holds all day."""
    offset = datetime.combine(day, time(12), LONDON).utcoffset() or timedelta()
    return (day.toordinal() - _EPOCH) * 1440 + local_minute - int(offset.total_seconds()) // 60


def stamp_text(minute: int) -> str:
    """A UTC minute since 1970 as live files write it."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat(" ")


def _seconds(rows: Rows, day: date) -> list[int | None]:
    """UTC seconds since 1970; None where the stamp is unreadable."""
    seconds = ((rows.minute + utc_minute(day, 0)) * 60).tolist()
    for i, odd in rows.odd_stamps.items():
        seconds[i] = odd * 60 if isinstance(odd, int) else None
    return seconds


@lru_cache(32)
def _stamp_texts(day: date) -> Any:
    """The text of every local minute of a business date."""
    first = utc_minute(day, 0)
    return np.array([stamp_text(first + minute) for minute in range(LONGEST_DAY)], dtype=object)


def csv_file(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> bytes:
    """A CSV file with LF line ends, as UTF-8."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return sink.getvalue().encode()
