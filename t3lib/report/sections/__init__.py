"""The parts of a report in their order; each gives a block, or nothing in an edition without it."""

from t3lib.report.sections.closing import data_note, envelope
from t3lib.report.sections.hours import days, hours
from t3lib.report.sections.money import contribution, payments
from t3lib.report.sections.opening import attention, headline, tiles
from t3lib.report.sections.statement import clean_rate, reconciliation
from t3lib.report.sections.tables import menus, places, prices, rejects, trucks
from t3lib.report.sections.year import concentration, like_for_like, months, ramp, seasonality, trailing, weekdays

__all__ = [
    "attention",
    "clean_rate",
    "concentration",
    "contribution",
    "data_note",
    "days",
    "envelope",
    "headline",
    "hours",
    "like_for_like",
    "menus",
    "months",
    "payments",
    "places",
    "prices",
    "ramp",
    "reconciliation",
    "rejects",
    "seasonality",
    "tiles",
    "trailing",
    "trucks",
    "weekdays",
]
