"""What the page shows as a CSV or Excel file; its sums equal the page's to the penny."""

import base64
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from t3lib.dashboard.html.tables import Table, Value, tables
from t3lib.dashboard.view import View
from t3lib.metrics.spreadsheet import inert

HEAD = ("first_day", "last_day", "payment", "truck_id", "truck", "local_hour", "transactions", "gross_sales")


@dataclass(frozen=True)
class Kind:
    """A file format: suffix, media type, and the function that writes it."""

    suffix: str
    media: str
    write: Callable[[View, str], bytes]


def rows(view: View, sheet: str = "") -> str:
    """One line per truck and local hour, gross_sales in pounds; for another tab its tables, each with its name above
    and its notes below. Text is quoted, numbers are not."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    if not sheet:
        writer.writerow(HEAD)
        writer.writerows(_lines(view))
    for n, table in enumerate(tables(sheet)):
        writer.writerows([[], [table.name]] if n else [[table.name]])
        writer.writerows(_cells(table))
    return text.getvalue()


def workbook(view: View, sheet: str = "") -> bytes:
    """The same as an Excel workbook, each table on a sheet; text is never read as a formula."""
    from openpyxl import Workbook  # slow to import, and rarely used

    book = Workbook(write_only=True)
    for name, lines in _sheets(view, sheet):
        page = book.create_sheet(name)
        for line in lines:
            page.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


CSV = Kind("csv", "text/csv", lambda view, sheet: b"\xef\xbb\xbf" + rows(view, sheet).encode())
XLSX = Kind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook)


def link(view: View, sheet: str, kind: Kind, number: int) -> str:
    """A data link to the file; a script of the page follows it once for each number."""
    content = base64.b64encode(kind.write(view, sheet)).decode()
    page = view.state.tab if sheet else "sales"
    name = f"t3-{page}-{view.scope.first.isoformat()}-to-{view.scope.last.isoformat()}.{kind.suffix}"
    return f'<a download="{escape(name)}" data-number="{number}" href="data:{kind.media};base64,{content}"></a>'


def _sheets(view: View, sheet: str) -> Iterator[tuple[str, Iterable[Sequence[Any]]]]:
    """(name, lines) of each sheet of a workbook."""
    if not sheet:
        yield "Sales", (HEAD, *_lines(view))
    for n, table in enumerate(tables(sheet), 1):
        yield f"{n} {re.sub(r'[^A-Za-z0-9 ]', ' ', table.name)}"[:31].strip(), _cells(table)


def _cells(table: Table) -> Iterator[list[Value]]:
    """The lines of a table, then the card's notes."""
    notes: list[list[Value]] = [[note] for note in table.notes]
    for row in [*table.rows, *notes]:
        yield [inert(cell) if isinstance(cell, str) else cell for cell in row]


def _lines(view: View) -> Iterator[tuple[Any, ...]]:
    days = (view.scope.first.isoformat(), view.scope.last.isoformat(), view.state.payment or "all")
    for row in view.heat.itertuples():
        pounds = Decimal(int(row.gross_sales_pence)).scaleb(-2)
        yield (*days, int(row.truck_id), inert(row.truck), int(row.local_hour), int(row.transactions), pounds)
