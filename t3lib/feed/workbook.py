"""The sheets of an Excel workbook, as much of them as people may have typed."""

import io
import zipfile
from typing import Any

from t3lib.feed.bounds import FeedError, require_unpacked

MOST_ROWS, MOST_COLUMNS = 20_000, 50

Row = tuple[Any, ...]


def sheets(data: bytes) -> dict[str, list[Row]]:
    """Rows by the sheet's name in small letters, rows without any value left out but counted. Raises FeedError."""
    import openpyxl

    try:
        # zipfile never unpacks more of an entry than its header says.
        require_unpacked(sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(data)).infolist()))
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return {sheet.title.strip().lower(): _rows(sheet) for sheet in book.worksheets}
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
                title = sheet.title[:40]
                raise FeedError("unreadable", f"Sheet {title} has values below row {MOST_ROWS:,}: remove them.")
            rows += [()] * (number - 1 - len(rows))
            rows.append(row)
    return rows
