"""The parameters of a simulation."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from t3lib.business_day import business_date


@dataclass(frozen=True)
class Feed:
    """The parameters that, for a given truck and date, decide every byte of the files."""

    seed: int = 1
    dirt: float = 0.076
    sales_per_day: float | None = None
    mishaps: bool = True


@dataclass(frozen=True)
class Plan:
    """The parameters of one run: which trucks and dates, and their feed."""

    trucks: int
    days: int
    history_days: int
    end: date
    now: datetime
    parts: tuple[str, ...]
    feed: Feed

    @property
    def first(self) -> date:
        """The first business date."""
        return self.end - timedelta(days=self.days - 1)

    @cached_property
    def live_days(self) -> list[date]:
        """The dates that come as live batches; earlier ones are history."""
        return [self.first + timedelta(days=i) for i in range(self.history_days, self.days)]

    def check(self) -> None:
        """Raises ValueError for parameters that cannot be simulated."""
        today = business_date(self.now)
        if self.trucks < 1 or self.days < 1:
            raise ValueError("The simulator needs at least one truck and one day.")
        if not 0 <= self.history_days <= self.days:
            raise ValueError(f"history_days is a number of the {self.days} days, not {self.history_days}.")
        if not 0 <= self.feed.dirt < 1:
            raise ValueError(f"dirt is a share of rows from 0 to below 1, not {self.feed.dirt}.")
        if self.end > today or (self.end == today and not self.live_days):
            raise ValueError(
                f"The last date {self.end} is not over: choose an earlier one, or live days up to {today}."
            )
        if not self.parts or set(self.parts) - {"first", "late"}:
            raise ValueError("parts are 'first', 'late' or both.")
