"""What is seen, as a CSV or Excel file whose sums equal the page's to the penny."""

import base64
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from t3lib.dashboard.view import View

HEAD = ("first_day", "last_day", "payment", "truck_id", "truck", "local_hour", "transactions", "gross_sales")
# A spreadsheet takes a cell that starts with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Kind:
    """A kind of file: how its name ends, what browsers call it, and who writes it."""

    suffix: str
    media: str
    write: Callable[[View], bytes]


def rows(view: View) -> str:
    """One line per truck and local hour of what is shown; gross_sales in pounds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows(_lines(view))
    return text.getvalue()


def workbook(view: View) -> bytes:
    """The same lines as an Excel workbook; texts are texts, whatever they start with."""
    from openpyxl import Workbook  # slow to import, and few visitors ask

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sales")
    sheet.append(HEAD)
    for line in _lines(view):
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def defused(text: str) -> str:
    """Text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_FORMULA) else text


CSV = Kind("csv", "text/csv", lambda view: b"\xef\xbb\xbf" + rows(view).encode())
XLSX = Kind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook)


def link(view: View, kind: Kind, number: int) -> str:
    """A link to the file that a script of the page follows once per number."""
    content = base64.b64encode(kind.write(view)).decode()
    name = f"t3-sales-{view.scope.first.isoformat()}-to-{view.scope.last.isoformat()}.{kind.suffix}"
    return f'<a download="{escape(name)}" data-number="{number}" href="data:{kind.media};base64,{content}"></a>'


def _lines(view: View) -> Iterator[tuple[Any, ...]]:
    days = (view.scope.first.isoformat(), view.scope.last.isoformat(), view.state.payment or "all")
    for row in view.heat.itertuples():
        pounds = Decimal(int(row.gross_sales_pence)).scaleb(-2)
        yield (*days, int(row.truck_id), defused(row.truck), int(row.local_hour), int(row.transactions), pounds)
