"""The figures of a pack: each as `t3lib.metrics` gives it, with its queries as they ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date
from numbers import Integral, Real
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.metrics.spreadsheet import inert
from t3lib.money import pounds
from t3lib.seal.contents import as_json

# name, months up to the report's last day (0: the month alone), further arguments
WANTED: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("totals", 0, ()), ("totals", 12, ()), ("by_truck", 0, ()), ("by_period", 24, ("month",)),
    ("like_for_like", 0, ()), ("like_for_like", 12, ()), ("trailing_by_truck", 0, ()), ("concentration", 12, ()),
    ("seasonality", 12, ("month",)), ("seasonality", 12, ("weekday",)), ("ramp", 12, ()), ("contribution", 0, ()),
    ("data_quality", 0, ()), ("clean_rate", 12, ()), ("reconciliation", 0, ()), ("partial_months", 24, ()),
    ("proof_of_cash", 0, ()), ("vat_by_rate", 0, ()),
)  # fmt: skip
# The columns that tell the rows of a breakdown apart.
_KEYS = ("truck_id", "period_first", "business_date", "season", "ramp_week", "tender", "state", "vat_rate_pct")


def read(db: sa.Connection, scope: Scope) -> list[dict[str, Any]]:
    """Every figure: name, days, arguments, queries (SQL, parameters, rows) and values."""
    found = [_read(db, name, metrics.periods_until(scope, "month", months) if months else scope, about)
             for name, months, about in WANTED]  # fmt: skip
    data = metrics.data_range(db)
    for other in (_month_before(scope), metrics.year_before(scope)):  # what the tiles compare with
        if data and other.first >= data[0]:
            found.append(_read(db, "totals", other, ()))
    return found


def name_of(figure: dict[str, Any]) -> str:
    """A figure as people find it: totals 2026-10-01 to 2026-10-31."""
    return " ".join([figure["name"], *figure["about"], figure["first"], "to", figure["last"]])


def said(key: str, one: Any) -> str:
    """A value for people: pence as pounds, whole numbers with commas, others in full."""
    if one is None:
        return "nothing"
    if "_pence" in key or "costs/" in key:
        return pounds(one)
    return f"{one:,}" if type(one) is int and not key.endswith("_id") else str(one)


def values(found: Any) -> dict[str, Any]:
    """A figure as one mapping: a field by its name, a cell of a breakdown by its row's keys and its column."""
    if found is None:
        return {}
    if isinstance(found, pd.DataFrame):
        keys = [name for name in _KEYS if name in found.columns]
        rows = found.to_dict("records")
        return {f"{'/'.join(str(value(row[key])) for key in keys)} {name}": value(one)
                for row in rows for name, one in row.items()}  # fmt: skip
    assert is_dataclass(found)
    names = [one.name for one in fields(found)]
    names += [name for name, one in vars(type(found)).items() if isinstance(one, property)]
    flat: dict[str, Any] = {}
    for name in names:
        one = getattr(found, name)
        flat |= {f"{name}/{key}": value(part) for key, part in one.items()} if isinstance(one, dict) else {
            name: value(one)}  # fmt: skip
    return flat


@contextmanager
def _recorded(db: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    sent: list[dict[str, Any]] = []

    def note(_db: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        known = {name: as_json(one) for name, one in dict(parameters).items()}
        sent.append({"sql": statement.strip(), "parameters": known, "rows": cursor.rowcount})

    sa.event.listen(db, "after_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(db, "after_cursor_execute", note)


def _read(db: sa.Connection, name: str, scope: Scope, about: tuple[str, ...]) -> dict[str, Any]:
    with _recorded(db) as queries:
        if name == "like_for_like":
            data, earlier = metrics.data_range(db), metrics.year_before(scope)
            found = metrics.like_for_like(db, scope, earlier) if data and earlier.first >= data[0] else None
        else:
            found = getattr(metrics, name)(db, scope, *about)
    return {"name": name, "first": scope.first.isoformat(), "last": scope.last.isoformat(), "about": list(about),
            "queries": queries, "values": values(found)}  # fmt: skip


def _month_before(scope: Scope) -> Scope:
    return Scope(metrics.periods_until(scope, "month", 2).first, date.fromordinal(scope.first.toordinal() - 1))


def value(one: Any) -> Any:
    """A cell as JSON holds it: dates by ISO 8601, missing ones as None."""
    if one is None or one is pd.NA or one != one:
        return None
    if isinstance(one, bool):
        return one
    if isinstance(one, str):
        return inert(one)  # as in the tables
    if isinstance(one, date):
        return one.isoformat()[:10]
    if isinstance(one, Integral):
        return int(one)
    return float(one) if isinstance(one, Real) else str(one)
