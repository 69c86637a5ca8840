"""The daily report: read a day, show its sections, and make the mail from the executed notebook.

`4_report.ipynb` uses what stands here; `t3lib.report.delivery` makes and queues the mail."""

from t3lib.report.day import Day, read
from t3lib.report.sections import (
    attention,
    contribution,
    data_note,
    envelope,
    headline,
    hours,
    menus,
    payments,
    places,
    prices,
    rejects,
    tiles,
    trucks,
)

__all__ = [
    "Day",
    "attention",
    "contribution",
    "data_note",
    "envelope",
    "headline",
    "hours",
    "menus",
    "payments",
    "places",
    "prices",
    "read",
    "rejects",
    "tiles",
    "trucks",
]
