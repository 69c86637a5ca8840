"""The entry of one figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One figure: its field in `t3lib.metrics`, name, definition, formula, unit and source table."""

    field: str
    name: str
    definition: str
    formula: str
    unit: str
    source: str
