"""Files of one truck's sales, in any bytes and under any key."""

import io
import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.feeding import LUNCH, at, rows

OTHER = LUNCH.replace("A1", "B2")
PADDED = "trucks/2026-11/05/15/T3_T03_A1.csv"
HISTORY = "historical/TRUCK_DATA_HIST_3.parquet"
MEALS = [at("12:00", "card", "4.99"), at("12:07", "cash", "5.99"), at("12:15", "card", "8.70")]
LATER = [at("13:31", "card", "4.99"), at("13:40", "cash", "7"), at("14:02", "card", "5.99")]


def written(folder: Path, key: str, content: bytes, uploaded: int | None = None) -> None:
    """Drop these bytes into the landing folder, uploaded at a second of 1970 if given."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if uploaded is not None:
        os.utime(path, (uploaded, uploaded))


def csv(lines: list[str], end: str = "\n") -> bytes:
    """A live file of these lines."""
    return end.join(["timestamp,type,total", *lines, ""]).encode()


def parquet(lines: list[str]) -> bytes:
    """The same rows as a history file has them: naive UTC."""
    cells = [line.split(",") for line in lines]
    stamps = pa.array([datetime.fromisoformat(cell[0]).replace(tzinfo=None) for cell in cells], pa.timestamp("us"))
    table = {"timestamp": stamps, "type": [cell[1] for cell in cells], "total": [cell[2] for cell in cells]}
    sink = io.BytesIO()
    pq.write_table(pa.table(table), sink, compression="zstd")
    return sink.getvalue()


def reason(key: str) -> str:
    """Why a file is in its state, in words."""
    return dict(rows("SELECT key, reason FROM ops.source_file ORDER BY file_id"))[key]
