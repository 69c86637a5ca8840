"""Whether a business day's files are loaded: which batches are expected on this weekday, and which are missing."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from scheduler.schedule import Schedule
from t3lib.business_day import today

# A truck's batch is expected when it arrived on this weekday in enough of the last weeks in which any file arrived.
_MISSING = sa.text("""
    WITH same_weekdays AS (
        SELECT truck_id, batch_hour, batch_date FROM ops.source_file
        WHERE kind = 'sales' AND state <> 'ignored'
          AND batch_date IN (SELECT CAST(:day AS date) - 7 * week FROM generate_series(1, :weeks) AS week)
    ),
    expected AS (
        SELECT truck_id, batch_hour FROM same_weekdays
        GROUP BY truck_id, batch_hour
        HAVING count(DISTINCT batch_date) >= :share * (SELECT count(DISTINCT batch_date) FROM same_weekdays)
    )
    SELECT truck_id, batch_hour, EXISTS (
        SELECT FROM ops.source_file AS file
        WHERE file.truck_id = expected.truck_id AND file.batch_hour = expected.batch_hour AND batch_date = :day
    ) AS is_in_bucket
    FROM expected
    WHERE NOT EXISTS (
        SELECT FROM ops.source_file AS file
        WHERE file.truck_id = expected.truck_id AND file.batch_hour = expected.batch_hour AND batch_date = :day
          AND state NOT IN ('new', 'claimed')
    )
    ORDER BY truck_id, batch_hour
""")
_UNDER_WAY = sa.text("""
    SELECT count(*) FROM ops.source_file
    LEFT JOIN ops.batch USING (batch_id)
    WHERE source_file.state IN ('new', 'claimed') AND batch_date = :day AND batch.state IS DISTINCT FROM 'failed'
""")

_MAILED = sa.text("""
    SELECT DISTINCT business_date, edition FROM ops.mail_outbox
    WHERE report IN ('daily', 'weekly', 'monthly') AND business_date >= CAST(:today AS date) - 40
""")


@dataclass(frozen=True)
class Missing:
    """A truck's batch that is expected and not loaded; is_in_bucket when its file is there already."""

    truck_id: int
    batch_hour: int
    is_in_bucket: bool


@dataclass(frozen=True)
class Readiness:
    """What is still missing for a business day."""

    business_date: date
    missing: tuple[Missing, ...]
    files_under_way: int

    @property
    def ready(self) -> bool:
        """Whether every expected batch is loaded."""
        return not self.missing and not self.files_under_way

    def words(self) -> str:
        """What a report of the day waits for, in one line."""
        hours: dict[int, list[str]] = {}
        for one in self.missing:
            hours.setdefault(one.truck_id, []).append(f"{one.batch_hour:02d}:00")
        parts = [f"truck {truck} ({', '.join(times)})" for truck, times in hours.items()]
        if self.files_under_way:
            parts.append(f"{self.files_under_way} files that are being loaded")
        return "; ".join(parts)


def of_day(db: sa.Connection, day: date, *, weeks: int, share: float) -> Readiness:
    """What is missing for a business day, expected from the same weekday of so many weeks before."""
    rows = db.execute(_MISSING, {"day": day, "weeks": weeks, "share": share})
    missing = tuple(Missing(*row) for row in rows)
    return Readiness(day, missing, db.execute(_UNDER_WAY, {"day": day}).scalar_one())


def waiting_reports(db: sa.Connection, plan: Schedule) -> list[dict[str, str]]:
    """One mapping per due report that is not made yet: business_date, edition, from, waits_for, until."""
    mailed = {tuple(row) for row in db.execute(_MAILED, {"today": today()})}
    due = [(one.last(today()), edition, one) for edition, one in plan.reports.items()]
    waiting = [(day, edition, one) for day, edition, one in due if day and (day, edition) not in mailed]
    days = {day for day, _, _ in waiting}
    found = {day: of_day(db, day, weeks=plan.expected_weeks, share=plan.expected_share) for day in days}
    return [
        {"business_date": day.isoformat(), "edition": edition, "from": f"{one.at:%H:%M}",
         "waits_for": found[day].words(), "until": f"{plan.cut_off:%H:%M}"}
        for day, edition, one in waiting
    ]  # fmt: skip
