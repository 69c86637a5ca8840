"""What is due when: the schedule file and the clock, nothing else."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from t3lib.business_day import business_date


@dataclass(frozen=True)
class Limits:
    """What a run may take: seconds of one cell, seconds of the whole, bytes of what it shows."""

    cell_seconds: float = 1800
    run_seconds: float = 3600
    output_bytes: int = 16 * 2**20


@dataclass(frozen=True)
class Schedule:
    """scheduler/schedule.toml."""

    discover_seconds: float
    sweep_at: time
    mail_seconds: float
    takeover_seconds: float
    reports: dict[str, time]
    recent_seconds: float = 30
    archive_seconds: float = 60
    maintenance_at: time = time(3, 30)
    takeover_attempts: int = 5
    drain_seconds: float = 60
    limits: Limits = Limits()
    cut_off: time = time(9, 30)
    expected_weeks: int = 4
    expected_share: float = 0.75

    def due_reports(self, now: datetime, zone: ZoneInfo) -> list[tuple[date, str]]:
        """(business date, edition) of the last complete business day whose time has come.

        Local wall-clock time decides, so a clock change neither skips nor doubles a day; a report missed while
        nothing ran is due until the business day ends, and then only the newer one is."""
        local, today = now.astimezone(zone), business_date(now)
        if local.date() != today:
            return []
        return [(today - timedelta(days=1), edition) for edition, at in self.reports.items() if local.time() >= at]

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
    """Read the schedule file."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    run = found["run"]
    return Schedule(
        found["discover"]["every_seconds"],
        time.fromisoformat(found["discover"]["sweep_at"]),
        found["mail"]["every_seconds"],
        found["takeover"]["every_seconds"],
        {edition: time.fromisoformat(at) for edition, at in found["report"].items()},
        found["discover"]["recent_seconds"],
        found["archive"]["every_seconds"],
        time.fromisoformat(found["maintenance"]["at"]),
        found["takeover"]["attempts"],
        run["drain_seconds"],
        Limits(run["cell_seconds"], run["run_seconds"], run["output_bytes"]),
        time.fromisoformat(found["completeness"]["cut_off"]),
        found["completeness"]["weeks"],
        found["completeness"]["share"],
    )


def _last(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The latest moment with this local wall-clock time; a time that a clock change skips counts an hour later."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if due.astimezone(UTC) > now:
        due = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return due.astimezone(UTC).astimezone(zone)
