"""Small files that unpack to gigabytes. Run as a program: reads each kind and says what became of it, as JSON."""

import functools
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from t3lib import feed
from t3lib.feed.metadata import read_metadata

# Reading all the rows that a sheet may have takes most of a minute.
FAR_ROWS = 1_000_000 if "T3_FAULT_RUNS" in os.environ else 100_000
SHEET = "xl/worksheets/sheet1.xml"
START = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
LAUGH = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE t [<!ENTITY l0 "ha">{LAUGH}]>'


def workbook(*pieces: str, times: int = 1, before: str = "") -> bytes:
    """A workbook whose first sheet holds the pieces so many times."""
    import openpyxl

    plain, out = io.BytesIO(), io.BytesIO()
    book = openpyxl.Workbook()
    book.active.title = "trucks"
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != SHEET:
                new.writestr(name, old.read(name))
        with new.open(SHEET, "w", force_zip64=False) as sheet:
            sheet.write((before + START).encode())
            for number in range(times):
                sheet.write("".join(pieces).replace("ROW", str(number + 1)).encode())
            sheet.write(b"</sheetData></worksheet>")
    return out.getvalue()


def parquet(columns: dict, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def repeated(word: str, rows: int) -> bytes:
    """One long word, stored once and meant very often."""
    words = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([word]))
    return parquet({"timestamp": words, "type": words, "total": words}, compression="zstd")


@functools.cache
def blanks() -> bytes:
    """A workbook with a sheet of 1 GB of blanks, which takes seconds to make."""
    return workbook(" " * 2**20, times=1024)


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "a sheet of 1 GB of blanks": lambda: ("details.xlsx", blanks()),
    "the same under a false size": lambda: ("details.xlsx", _understated(blanks())),
    "a cell in the last corner": lambda: (
        "details.xlsx", workbook('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    "a cell at the far right of each row": lambda: (
        "details.xlsx", workbook('<row r="ROW"><c r="XFDROW"><v>1</v></c></row>', times=FAR_ROWS)),
    "entities within entities": lambda: (
        "details.xlsx", workbook('<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>', before=LAUGHS)),
    "a long word meant a million times": lambda: ("h.parquet", repeated("9" * 2**20, 1_000_000)),
    "150 MB in one cell": lambda: (
        "h.parquet", parquet({"timestamp": ["x"], "type": ["x"], "total": ["9" * 150 * 2**20]}, compression="zstd")),
    "a hundred million rows": lambda: (
        "h.parquet", parquet({name: pa.nulls(10**8) for name in ("timestamp", "type", "total")})),
    "sixty megabytes in one cell": lambda: ("h.csv", b'timestamp,type,total\n1,2,"' + b"9" * 60 * 10**6 + b'"\n'),
    "twenty million rows": lambda: ("h.csv", b"timestamp,type,total\n" + b",,\n" * 20_000_000),
    "twenty million rows, one with a quote": lambda: ("h.csv", b'timestamp,type,total\n"",,\n' + b",,\n" * 20_000_000),
    "a million columns, many rows": lambda: (
        "menu.csv", b"truck_id,menu_item,menu_type,price" + b",x" * 10**6 + b"\n1" * 10**5),
    "thirty million cells in a row": lambda: ("h.csv", b"timestamp,type,total\n" + b"," * 30_000_000 + b"\n"),
}  # fmt: skip


def _understated(data: bytes) -> bytes:
    """The workbook with a false size of its sheet in the directory of the zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    return data.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def main(name: str, path: str) -> None:
    """Read one stored bomb."""
    data = Path(path).read_bytes()
    try:
        reader = feed.read if name.startswith("h.") else lambda _, found: read_metadata(f"metadata/{name}", found)
        found = reader(name, data)
        said = f"loaded {len(found)}"
    except feed.FeedError as error:
        said = str(error)
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    print(json.dumps({"said": said, "peak_mb": peak // 1024, "size": len(data)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
