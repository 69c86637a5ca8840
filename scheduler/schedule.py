"""What is due when, computed from the schedule file, the editions and the clock alone."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from t3lib.business_day import business_date
from t3lib.editions import editions
from t3lib.period import CATCH_UP, Kind, latest


@dataclass(frozen=True)
class Limits:
    """Limits of a run: seconds for one cell, seconds for the notebook, bytes of output."""

    cell_seconds: float = 1800
    run_seconds: float = 3600
    output_bytes: int = 16 * 2**20


@dataclass(frozen=True)
class Due:
    """When a report is made, at the earliest the day after its period ends."""

    at: time
    period: Kind = "day"

    def last(self, today: date) -> date | None:
        """The last day of the period to report on a business day; None when it is too late for it."""
        last = latest(self.period, today).last
        return last if (today - last).days <= CATCH_UP[self.period] else None


@dataclass(frozen=True)
class Schedule:
    """scheduler/schedule.toml, and the times in notebooks/editions.toml."""

    discover_seconds: float
    sweep_at: time
    mail_seconds: float
    takeover_seconds: float
    reports: dict[str, Due]
    recent_seconds: float = 30
    archive_seconds: float = 60
    maintenance_at: time = time(3, 30)
    takeover_attempts: int = 5
    drain_seconds: float = 60
    limits: Limits = Limits()
    cut_off: time = time(9, 30)
    expected_weeks: int = 4
    expected_share: float = 0.75
    correction_seconds: float = 60
    settle_seconds: float = 600

    def due_reports(self, now: datetime, zone: ZoneInfo) -> list[tuple[date, str]]:
        """(last business day, edition) for the latest complete day, week or month of each edition that is due.

        Local wall-clock time decides, so a clock change neither skips nor repeats a day. A report that was missed while
        nothing ran stays due until the business day ends (some days longer for a week or a month); older ones never."""
        local, today = now.astimezone(zone), business_date(now)
        if local.date() != today:
            return []
        due = [(one.last(today), edition) for edition, one in self.reports.items() if local.time() >= one.at]
        return [(last, edition) for last, edition in due if last is not None]

    @property
    def daily(self) -> tuple[str, ...]:
        """The daily editions."""
        return tuple(edition for edition, one in self.reports.items() if one.period == "day")

    def may_wait(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether a report may still wait for files of its day."""
        return now.astimezone(zone).time() < self.cut_off

    def last_sweep_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest moment at which a sweep was due."""
        return _last(self.sweep_at, now, zone)

    def last_maintenance_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest moment at which maintenance was due."""
        return _last(self.maintenance_at, now, zone)


@cache
def load() -> Schedule:
    """Read the schedule file and the editions."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    run = found["run"]
    return Schedule(
        found["discover"]["every_seconds"],
        time.fromisoformat(found["discover"]["sweep_at"]),
        found["mail"]["every_seconds"],
        found["takeover"]["every_seconds"],
        {name: Due(one.at, one.period) for name, one in editions().items() if one.at is not None},
        found["discover"]["recent_seconds"],
        found["archive"]["every_seconds"],
        time.fromisoformat(found["maintenance"]["at"]),
        found["takeover"]["attempts"],
        run["drain_seconds"],
        Limits(run["cell_seconds"], run["run_seconds"], run["output_bytes"]),
        time.fromisoformat(found["completeness"]["cut_off"]),
        found["completeness"]["weeks"],
        found["completeness"]["share"],
        found["correction"]["every_seconds"],
        found["correction"]["settle_seconds"],
    )


def _last(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The latest moment with this local wall-clock time; a time that a clock change skips counts an hour later."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if due.astimezone(UTC) > now:
        due = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return due.astimezone(UTC).astimezone(zone)
