"""The buyer's pack: further figures of the month edition, read only for editions that show them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.metrics import Scope
from t3lib.metrics.sales.concentration import Concentration
from t3lib.metrics.sales.growth import LikeForLike
from t3lib.metrics.trust.reconciliation import Reconciliation

MONTHS = 12
_T = TypeVar("_T")


@dataclass(frozen=True)
class Growth:
    """Like for like: the period, and the twelve months up to its end, each against the year before."""

    period: LikeForLike | None
    year: LikeForLike | None


@dataclass(frozen=True)
class Pack:
    """Each field is None in an edition without the section of that name.

    `months`: one row per month with a sale, of twelve and the twelve before them (`metrics.by_period`). `trailing`:
    `metrics.trailing_by_truck`. `seasonality` and `weekdays`: `metrics.seasonality`."""

    months: pd.DataFrame | None = None
    like_for_like: Growth | None = None
    trailing: pd.DataFrame | None = None
    concentration: Concentration | None = None
    seasonality: pd.DataFrame | None = None
    weekdays: pd.DataFrame | None = None
    ramp: pd.DataFrame | None = None
    clean_rate: pd.DataFrame | None = None
    reconciliation: Reconciliation | None = None


def read(db: sa.Connection, scope: Scope, sections: tuple[str, ...]) -> Pack:
    """The figures of these sections over the twelve months up to a scope's last day (the reconciliation: the scope)."""

    def part(section: str, figures: Callable[[sa.Connection, Scope], _T]) -> _T | None:
        return figures(db, scope) if section in sections else None

    return Pack(
        months=part("months", _months),
        like_for_like=part("like_for_like", _growth),
        trailing=part("trailing", metrics.trailing_by_truck),
        concentration=part("concentration", lambda db, scope: metrics.concentration(db, _year(scope))),
        seasonality=part("seasonality", lambda db, scope: metrics.seasonality(db, _year(scope), "month")),
        weekdays=part("weekdays", lambda db, scope: metrics.seasonality(db, _year(scope), "weekday")),
        ramp=part("ramp", lambda db, scope: metrics.ramp(db, _year(scope))),
        clean_rate=part("clean_rate", lambda db, scope: metrics.clean_rate(db, _year(scope))),
        reconciliation=part("reconciliation", metrics.reconciliation),
    )


def needed(figures: _T | None) -> _T:
    """Figures of a section, which are read for every edition that has it. Raises LookupError where they are not."""
    if figures is None:
        raise LookupError("the figures of this section were not read")
    return figures


def _year(scope: Scope) -> Scope:
    return metrics.periods_until(scope, "month", MONTHS)


def _months(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    return metrics.by_period(db, metrics.periods_until(scope, "month", 2 * MONTHS), "month")


def _growth(db: sa.Connection, scope: Scope) -> Growth:
    return Growth(*(_like_for_like(db, one) for one in (scope, _year(scope))))


def _like_for_like(db: sa.Connection, scope: Scope) -> LikeForLike | None:
    """None unless the data cover the whole of the year before."""
    data, earlier = metrics.data_range(db), metrics.year_before(scope)
    return metrics.like_for_like(db, scope, earlier) if data and earlier.first >= data[0] else None
