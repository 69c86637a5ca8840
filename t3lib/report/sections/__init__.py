"""The parts of a report in their order; each gives a block, or nothing in an edition without it."""

from t3lib.report.sections.closing import data_note, envelope
from t3lib.report.sections.hours import hours
from t3lib.report.sections.money import contribution, payments
from t3lib.report.sections.opening import attention, headline, tiles
from t3lib.report.sections.tables import menus, places, prices, rejects, trucks

__all__ = [
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
    "rejects",
    "tiles",
    "trucks",
]
