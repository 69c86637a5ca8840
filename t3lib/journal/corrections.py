"""Locked days whose figures changed since they were exported: corrections that wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from t3lib.journal import entries, locked
from t3lib.metrics.money.postings import postings
from t3lib.problems import RefusedError


@dataclass(frozen=True)
class Correction:
    """A correction that waits: what it would post by part (debits are positive), or why it cannot be made."""

    layout: str
    business_date: date
    parts: Mapping[str, int]
    why: str = ""

    @property
    def sales_pence(self) -> int:
        """By how much the day's gross sales differ from those exported."""
        return sum(pence for part, pence in self.parts.items() if part.startswith("payment"))

    @property
    def changes(self) -> list[tuple[str, int]]:
        """The figures of the day that differ, in words, and by how many pence."""
        return [(entries.Line(part, "", "", pence).description, -pence if part.startswith(("sales", "vat")) else pence)
                for part, pence in sorted(self.parts.items()) if not part.startswith("against")]  # fmt: skip

    @property
    def posted_pence(self) -> int:
        """Its debits, which equal its credits."""
        return sum(pence for pence in self.parts.values() if pence > 0)


def waiting(db: sa.Connection, layout: str | None = None) -> list[Correction]:
    """The corrections that wait, by layout and day."""
    days = locked.days(db, layout)
    if not days:
        return []
    dates = [day for _, day in days]
    posted = postings(db, min(dates), max(dates))
    found: list[Correction] = []
    for (name, day), before in days.items():
        try:
            parts = entries.difference(entries.signed(day, posted.get(day, {}), before.costs), before.parts)
        except RefusedError as error:
            found.append(Correction(name, day, {}, str(error)))
            continue
        if parts:
            found.append(Correction(name, day, parts))
    return found
