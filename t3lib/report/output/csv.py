"""The CSV file of a report mail: its columns and rows."""

import csv
import io

import pandas as pd

from t3lib import metrics
from t3lib.metrics.spreadsheet import inert
from t3lib.report import words
from t3lib.report.day import Day

_MEASURES = [f"{name}{of}" for name in ("transactions", "gross_sales_pence") for of in ("", "_before", "_usual")]


def rows(day: Day) -> str:
    """A head, one row for all trucks, then one row per truck: counts, and pounds with two decimals."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_columns("last_week" if day.period.kind == "day" else "before"))
    sums = [day.sales, day.before, day.usual]
    counts = [None if t is None else t.transactions for t in sums]
    pence = [None if t is None else t.gross_sales_pence for t in sums]
    writer.writerow([day.business_date, "", "All trucks", *counts, *map(_pounds, pence)])
    for row in day.compared(metrics.by_truck).itertuples():
        cells = [None if pd.isna(getattr(row, name)) else int(getattr(row, name)) for name in _MEASURES]
        truck = inert(words.line(row.truck))
        writer.writerow([day.business_date, row.truck_id, truck, *cells[:3], *map(_pounds, cells[3:])])
    return text.getvalue()


def _columns(before: str) -> list[str]:
    measures = [f"{name}{of}" for name in ("transactions", "gross_sales_gbp") for of in ("", f"_{before}", "_usual")]
    return ["business_date", "truck_id", "truck", *measures]


def _pounds(pence: int | None) -> str:
    return "" if pence is None else f"{pence // 100}.{pence % 100:02d}"
