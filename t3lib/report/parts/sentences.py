"""Sentences made from figures, and the smaller words in them."""

from typing import Any

import pandas as pd

from t3lib.report import words
from t3lib.report.block import Block, table_block
from t3lib.report.compared_with import comparison_names
from t3lib.report.day import Day
from t3lib.report.parts.units import fields, filled


def sentence(template: str, *sources: Any, **more: Any) -> str:
    """A template with its {fields} filled in from figures: of the first row of a table, of a dataclass of
    `t3lib.metrics`, and of further values by name. Each is written by the unit of its name; empty for a table without
    rows. Raises ValueError for a field that nothing provides."""
    if any(len(one) == 0 for one in (*sources, *more.values()) if isinstance(one, pd.DataFrame | pd.Series)):
        return ""
    return filled(template, fields(*sources, more))


def paragraph(title: str, *sentences: str) -> Block | None:
    """Sentences of their own under a heading; nothing where all of them are empty."""
    text = joined(*sentences)
    return table_block(title, [], [], text) if text else None


def several(count: int, noun: str) -> str:
    """1 truck, 1,200 trucks."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def joined(*sentences: str) -> str:
    """The sentences that are not empty, one after the other."""
    return " ".join(filter(None, sentences))


def listed(*parts: str) -> str:
    """The parts that are not empty, with semicolons between them."""
    return "; ".join(filter(None, parts))


def amount(value: Any, measure: str) -> str:
    """A number of a measure as text: £1,234.50 of `..._pence`, else 1,234."""
    return words.amount(None if value is None or value is pd.NA else int(value), measure)


def in_total(day: Day) -> str:
    """£1,120.00 over the day; a usual Friday has £1,000.00."""
    kind, measure = day.period.kind, day.measure
    sold = "" if measure.endswith("_pence") else " sales"
    now = f"{amount(getattr(day.sales, measure), measure)}{sold} over the {kind}"
    usual = f"{comparison_names(day).usual} {'had' if kind == 'month' else 'has'}"
    return listed(now, f"{usual} {amount(getattr(day.usual, measure), measure)}" if day.usual else "")
