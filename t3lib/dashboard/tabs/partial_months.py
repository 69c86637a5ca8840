"""Marks months of which not every day counts, in charts and tables by month."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.period import part_of_month


def read(db: sa.Connection, scope: Scope) -> dict[date, str]:
    """Which days count of the partial months of a scope, by the month's first day."""
    found = metrics.partial_months(db, scope)
    return {row.period_first: part_of_month(row.first_day, row.last_day) for row in found.itertuples()}


def starred(label: str, first: date, partial: dict[date, str]) -> str:
    """The name of a month, with a star if it is partial."""
    return f"{label}*" if first in partial else label


def explained(partial: dict[date, str], shown: Iterable[date] | None = None) -> str:
    """What the stars mean: * Nov 2026 to 28 Nov. Empty if all months that are shown are whole."""
    months = [first for first in partial if shown is None or first in set(shown)]
    return "; ".join(f"* {first:%b %Y} {partial[first]}" for first in months)


def joined(*asides: str) -> str:
    """Remarks beside a card's name."""
    return "; ".join(filter(None, asides))
