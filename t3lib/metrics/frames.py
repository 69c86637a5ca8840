"""Figures for a notebook: one call, a tidy table, and the query behind it.

>>> from datetime import date
>>> from t3lib import metrics
>>> week = metrics.Scope(date(2026, 11, 2), date(2026, 11, 8))
"""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.metrics.scope import Scope

MOST_DAYS = 36_525

Figure = str | Callable[..., pd.DataFrame]
_DAYS = (
    "business_date", "period_first", "batch_date", "first_sale_on", "changed_on", "first_day", "last_day", "expected_on"
)  # fmt: skip
_NAMES = (
    "truck", "location", "menu_type", "payment_type", "dish", "event", "batch_state", "menu_class", "effect_state",
    "tender", "state", "cause", "item", "provider", "age",
)  # fmt: skip


class Query(str):
    """The SQL of a figure; JupyterLab colours it."""

    def _repr_markdown_(self) -> str:
        return f"```sql\n{self}\n```"


def figures() -> dict[str, str]:
    """The breakdowns that `frame` and `sql` accept: the grain of each, by name.

    >>> metrics.figures()["by_truck"]
    'One row per truck'
    """
    named = ((name, getattr(metrics, name)) for name in metrics.__all__)
    return {name: _grain(found) for name, found in named if _is_breakdown(found)}


def frame(figure: Figure, scope: Scope, **more: Any) -> pd.DataFrame:
    """A breakdown of `t3lib.metrics`, by name or function, as a tidy table; `.attrs["grain"]` says what a row is.

    Names of trucks, places, menu types and payments are categories, business days are dates (datetime64), and what
    ends in `_pence` is whole pence: `pounds` turns it into pounds. Reads with this notebook's rights.

    >>> metrics.frame("by_truck", week)[["truck", "transactions", "gross_sales_pence"]]
                 truck  transactions  gross_sales_pence
    0  Burrito Madness             3               2100
    1    SuperSmoothie             1                499
    >>> metrics.frame(metrics.by_day_and_truck, week).dtypes[["business_date", "truck"]].astype(str).tolist()
    ['datetime64[us]', 'category']
    >>> metrics.frame("by_truck", week).attrs["grain"]
    'One row per truck'
    """
    from t3lib import warehouse

    function = _function(figure)
    with warehouse.connect() as db:
        return _tidy(function(db, scope, **more), _grain(function))


def pounds(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns in pounds in place of pence, renamed to `_pounds`. For display, not for sums.

    >>> metrics.pounds(metrics.frame("by_truck", week))["gross_sales_pounds"].tolist()
    [21.0, 4.99]
    """
    names = [name for name in table.columns if str(name).endswith("_pence")]
    in_pounds = {name: table[name].astype("Float64").div(100).astype(float) for name in names}
    return table.assign(**in_pounds).rename(columns={name: f"{name.removesuffix('_pence')}_pounds" for name in names})


def sql(figure: Figure, scope: Scope, **more: Any) -> Query:
    """The queries of a figure with their values filled in, ready to be run by hand.

    >>> print(metrics.sql("gatherings", week).splitlines()[-1])
    ORDER BY business_date
    >>> "BETWEEN '2026-11-02'::date AND '2026-11-08'::date" in metrics.sql(metrics.by_truck, week)
    True
    """
    from t3lib import warehouse

    sent: list[str] = []
    with warehouse.connect() as db:
        sa.event.listen(db, "before_cursor_execute", lambda *call: sent.append(call[1].mogrify(*call[2:4]).decode()))
        _function(figure)(db, scope, **more)
    return Query(";\n\n".join(query.strip() for query in sent if not query.startswith("SET LOCAL ")))


def recent(days: int, until: str = "") -> Scope:
    """So many business days up to an ISO date; if it is empty, up to the last complete day with sales, because a day
    that still trades cannot be compared with complete ones.

    >>> metrics.recent(7, "2026-11-08") == week
    True
    >>> metrics.recent(1).last
    datetime.date(2026, 11, 5)
    """
    from t3lib import warehouse

    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days is a number from 1 to {MOST_DAYS:,}, not {days:,}")
    if until:
        last = business_day.day_of(until)
    else:
        with warehouse.connect() as db:
            recorded = metrics.data_range(db)
        yesterday = business_day.today() - timedelta(days=1)
        last = min(recorded[1], yesterday) if recorded else yesterday
    return Scope(last - timedelta(days=days - 1), last)


def ask(figure: Callable[..., Any], *about: Any, **more: Any) -> Any:
    """A figure of `t3lib.metrics` that is not a table; `about` are its arguments: a scope, a day, or none.

    >>> metrics.ask(metrics.totals, week).gross_sales_pence
    2599
    >>> metrics.ask(metrics.payment_types)
    ['card', 'cash']
    """
    from t3lib import warehouse

    with warehouse.connect() as db:
        return figure(db, *about, **more)


def _function(figure: Figure) -> Callable[..., pd.DataFrame]:
    if not isinstance(figure, str):
        return figure
    if figure not in figures():
        raise ValueError(f"there is no breakdown {figure!r}; there are {', '.join(figures())}")
    function: Callable[..., pd.DataFrame] = getattr(metrics, figure)
    return function


def _is_breakdown(found: Any) -> bool:
    """Whether it is a function of a connection and a scope that returns rows."""
    if not inspect.isfunction(found) or not (found.__doc__ or "").startswith("One row per"):
        return False
    return list(inspect.signature(found).parameters)[:2] == ["db", "scope"]


def _grain(function: Callable[..., Any]) -> str:
    """What one row is: the first words of the docstring."""
    first = " ".join((function.__doc__ or "").split()).split(": ")[0]
    return first.split(" with a sale")[0].split(",")[0]


def _tidy(table: pd.DataFrame, grain: str) -> pd.DataFrame:
    kinds = {name: _kind(name, table[name]) for name in table.columns}
    tidy = table.astype({name: kind for name, kind in kinds.items() if kind}).reset_index(drop=True)
    tidy.attrs["grain"] = grain
    return tidy


def _kind(name: str, column: pd.Series) -> str:
    """The type of a column, empty to keep its own. A table without rows gets the same types as one with rows."""
    if name in _NAMES or name in _DAYS:
        return "category" if name in _NAMES else "datetime64[us]"
    if column.dtype != object:
        return ""
    return "float64" if name.endswith("_pct") else "Int64"
