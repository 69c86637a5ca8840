"""The sheets of an Excel workbook, up to the size that people may have typed."""

import io
import re
import zipfile
from typing import Any

from t3lib.feed.bounds import FeedError, require_unpacked

MOST_ROWS, MOST_COLUMNS = 20_000, 50

Row = tuple[Any, ...]
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z0-9:]+)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_FAR = re.compile(rb'<(?:\w+:)?c\s+r="((?:A[Z]|[B-Z][A-Z]|[A-Z]{3})\d+)"[^>]*(?<!/)>')  # right of column AY
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")


def sheets(data: bytes) -> list[tuple[str, list[Row]]]:
    """Title and rows of each sheet, rows without any value left out but counted. Raises FeedError."""
    import openpyxl

    try:
        # zipfile never unpacks more of an entry than its header says.
        archive = zipfile.ZipFile(io.BytesIO(data))
        require_unpacked(sum(entry.file_size for entry in archive.infolist()))
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        found = [(sheet.title, _rows(sheet)) for sheet in book.worksheets]
        for sheet, (title, rows) in zip(book.worksheets, found, strict=True):
            if rows:
                path = sheet._worksheet_path  # type: ignore[attr-defined]  # the stubs lack it; read-only sheets have it
                _require_unambiguous(archive.read(path), title, rows, data)
        return found
    except FeedError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML and zip readers raise
        raise FeedError("unreadable", f"Not a readable Excel workbook ({str(error)[:80]}).") from None


def _rows(sheet: Any) -> list[Row]:
    """Up to the last row with a value: one cell far down or far right makes a sheet of billions otherwise."""
    rows: list[Row] = []
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), 1):
        if any(cell is not None for cell in row):
            if number > MOST_ROWS:
                raise _refusal(sheet.title, f"has values below row {MOST_ROWS:,}: remove them")
            rows += [()] * (number - 1 - len(rows))
            rows.append(row)
    return rows


def _require_unambiguous(xml: bytes, title: str, rows: list[Row], data: bytes) -> None:
    """Raise FeedError where a sheet shows people other values than its cells hold."""
    if found := _MERGED.search(xml):
        raise _refusal(title, f"has merged cells {found[1].decode()}: unmerge them and fill each")
    if found := _FAR.search(xml):
        raise _refusal(title, f"has a value in {found[1].decode()}; at most {MOST_COLUMNS} columns are read: remove it")
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if cell in _ERRORS:
                raise _refusal(title, f"shows {cell} in {_cell_name(number, place)}: correct it")
    if _FORMULA.search(xml):
        _require_values(title, rows, data)


def _require_values(title: str, rows: list[Row], data: bytes) -> None:
    """Raise FeedError where a formula has no value: programs that write formulas leave it to Excel to compute them."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    formulas = book[title].iter_rows(max_col=MOST_COLUMNS, max_row=MOST_ROWS)
    for number, cells in enumerate(formulas, 1):
        values = rows[number - 1] if number <= len(rows) else ()
        for place, cell in enumerate(cells):
            if cell.data_type == "f" and (place >= len(values) or values[place] is None):
                said = f"has a formula without a value in {_cell_name(number, place)}"
                raise _refusal(title, f"{said}: open it in Excel, save it and upload it again")


def _cell_name(number: int, place: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(place + 1)}{number}"


def _refusal(title: str, said: str) -> FeedError:
    return FeedError("unreadable", f"Sheet {title.strip()[:40]} {said}. The previous version stays in force.")
