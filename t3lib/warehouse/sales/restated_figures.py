"""The restatements of figures, for pages and reports."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa

_CHOSEN = """
    FROM mart.restatement
    WHERE made_at > :since AND business_date BETWEEN :first AND :last
      AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
"""
_CHANGES = f"""
    SELECT restatement_id, made_at, cause, truck_id, business_date, rows_before, rows_after,
           pence_before, pence_after, keys, why, actor, contribution_before, contribution_after
    {_CHOSEN}
    ORDER BY restatement_id DESC
    LIMIT :limit OFFSET :skip
"""
_OF_BATCHES = """
    SELECT restatement_id, made_at, cause, truck_id, business_date, rows_before, rows_after, pence_before,
           pence_after, keys, why, actor, contribution_before, contribution_after
    FROM ops.restatement
    WHERE batch_id = ANY(:batches)
    ORDER BY restatement_id
"""


@dataclass(frozen=True)
class Restatement:
    """One transaction x cause x truck x business day: rows and pence before and after."""

    restatement_id: int
    made_at: datetime
    cause: str
    truck_id: int
    business_date: date
    rows_before: int
    rows_after: int
    pence_before: int
    pence_after: int
    keys: list[str]
    why: str
    actor: str
    contribution_before: int | None
    contribution_after: int | None

    @property
    def rows(self) -> int:
        """How many sales more (or fewer) there are."""
        return self.rows_after - self.rows_before

    @property
    def pence(self) -> int:
        """By how many pence the day's sales grew (or shrank)."""
        return self.pence_after - self.pence_before


class Filter(TypedDict, total=False):
    """Which restatements are wanted: made later than `since`, of the business days from first to last, of a truck."""

    since: datetime | None
    first: date | None
    last: date | None
    truck: int | None


def changes(
    db: sa.Connection, *, limit: int | None = None, skip: int = 0, **wanted: Unpack[Filter]
) -> list[Restatement]:
    """The restatements, newest first. Any role may call it. All of them, unless a `limit` is given."""
    given = _bound(wanted) | {"limit": limit, "skip": skip}
    return [Restatement(**row) for row in db.execute(sa.text(_CHANGES), given).mappings()]


def count(db: sa.Connection, **wanted: Unpack[Filter]) -> int:
    """How many restatements these are."""
    return int(db.scalar(sa.text(f"SELECT count(*) {_CHOSEN}"), _bound(wanted)) or 0)


def of_batches(db: sa.Connection, batch_ids: list[str]) -> list[Restatement]:
    """What these batches changed, oldest first; for the roles that read the ledger."""
    return [Restatement(**row) for row in db.execute(sa.text(_OF_BATCHES), {"batches": batch_ids}).mappings()]


def _bound(wanted: Filter) -> dict[str, object]:
    """The parameters of a query for these restatements."""
    return {
        "since": wanted.get("since") or datetime(1900, 1, 1, tzinfo=UTC),
        "first": wanted.get("first") or date(1900, 1, 1),
        "last": wanted.get("last") or date(2999, 12, 31),
        "truck": wanted.get("truck"),
    }
