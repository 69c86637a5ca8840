"""Texts for files that spreadsheets open: shown as they are, never run as formulas."""

import re

# A spreadsheet takes a cell that starts with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what a workbook cannot hold


def inert(text: str) -> str:
    """The text, after an apostrophe where a spreadsheet would run it; control characters become a visible sign."""
    shown = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
