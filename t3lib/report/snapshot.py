"""Figures of a report's period, read when a section asks for them, all in one snapshot of the database."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics, period, warehouse
from t3lib.metrics import Attention, Scope
from t3lib.metrics.sales import breakdown
from t3lib.period import Period

WEEKS = 4


class Figures(Protocol):
    """Where a report takes its figures from: `Snapshot`, or the made-up figures of a rehearsal."""

    def compared(self, figure: Callable[..., pd.DataFrame]) -> pd.DataFrame:
        """A breakdown of the period, both measures beside the period before and the usual."""
        ...

    def figure(self, figure: Callable[..., Any], *about: Any, months: int = 0, weeks: int = 0) -> Any:
        """A figure of the period, or of so many calendar months or weeks up to its last day."""
        ...

    def against_year_before(self, figure: Callable[..., Any], *, months: int = 0) -> Any:
        """The same against the same dates a year before; None where the data do not reach back so far."""
        ...

    def attention(self) -> list[Attention]:
        """What needs attention on the last day."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass
class Snapshot:
    """One transaction that reads and sees no later load. It ends with `close`, or with the last use of the report;
    the database ends one that is left idle for minutes (`role_limits`)."""

    db: sa.Connection
    period: Period
    _known: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Period, url: str | None = None) -> "Snapshot":
        """A snapshot of now for the figures of a period."""
        return cls(warehouse.engine(url).connect().execution_options(isolation_level="REPEATABLE READ"), days)

    def __post_init__(self) -> None:
        self.scope = Scope(self.period.first, self.period.last)
        self.before, self.usual = self._compared_with()

    @property
    def usual_of(self) -> Period | None:
        """The month that the usual of a month is."""
        return period.of("month", self.usual[0].last) if self.period.kind == "month" and self.usual else None

    def compared(self, figure: Callable[..., pd.DataFrame]) -> pd.DataFrame:
        """As `Figures`; read once."""
        return self._once(
            ("compared", figure),
            lambda: breakdown.beside(figure, None, self.db, self.scope, before=self.before, usual=self.usual),
        )

    def figure(self, figure: Callable[..., Any], *about: Any, months: int = 0, weeks: int = 0) -> Any:
        """As `Figures`; read once."""
        return self._once((figure, about, months, weeks), lambda: figure(self.db, self._scope(months, weeks), *about))

    def against_year_before(self, figure: Callable[..., Any], *, months: int = 0) -> Any:
        """As `Figures`."""
        scope, data = self._scope(months), metrics.data_range(self.db)
        earlier = metrics.year_before(scope)
        return figure(self.db, scope, earlier) if data and earlier.first >= data[0] else None

    def attention(self) -> list[Attention]:
        """As `Figures`."""
        return metrics.attention(self.db, self.period.last)

    def close(self) -> None:
        """As `Figures`."""
        self.db.close()

    def _scope(self, months: int, weeks: int = 0) -> Scope:
        if weeks:
            return replace(self.scope, first=self.scope.last - timedelta(days=7 * weeks - 1))
        return metrics.periods_until(self.scope, "month", months) if months else self.scope

    def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = read()
        found = self._known[key]
        return found.copy() if isinstance(found, pd.DataFrame) else found  # a section may change its own table

    def _compared_with(self) -> tuple[list[Scope], list[Scope]]:
        """The scopes of `before` and `usual`, as far as the data cover them completely."""
        data = metrics.data_range(self.db)
        if data is None:
            return [], []
        if self.period.kind != "month":
            weeks = [week for week in metrics.same_weekdays_before(self.scope, WEEKS) if week.first >= data[0]]
            return weeks[:1], weeks
        last = self.period.before
        month_before, year_before = Scope(last.first, last.last), metrics.year_before(self.scope)
        before = [month_before] if month_before.first >= data[0] else []
        return before, [year_before] if year_before.first >= data[0] else before
