"""Backfill of past days: plans what is missing from the bucket, the ledger and the outbox, then queues it.

The plan is made anew from the ledger each time, so a backfill that was stopped continues when it is started again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa

from scheduler.queue import workflows
from t3lib import feed, warehouse
from t3lib.business_day import today
from t3lib.feed.keys import recent_prefixes
from t3lib.landing import Landing, Object
from t3lib.problems import WrongUseError
from t3lib.settings import settings
from t3lib.warehouse.files import ledger, reprocessing

MODES = ("missing", "failed", "all")
# Beyond so many days one listing of the whole bucket is cheaper than several per day.
LISTED_DAYS = 31

_WAITING = sa.text("""
    SELECT batch_date, count(*) FROM ops.source_file LEFT JOIN ops.batch USING (batch_id)
    WHERE source_file.state IN ('new', 'claimed') AND batch_date BETWEEN :first AND :last
      AND batch.state IS DISTINCT FROM 'failed'
    GROUP BY 1
""")
_FAILED = """
    FROM ops.batch
    JOIN ops.source_file AS file ON file.batch_id = batch.batch_id
         OR file.file_id IN (SELECT file_id FROM ops.again_file WHERE again_file.batch_id = batch.batch_id)
    WHERE batch.state = 'failed' AND file.batch_date BETWEEN :first AND :last
"""
_FAILED_FILES = sa.text(f"SELECT file.batch_date, count(*) {_FAILED} GROUP BY 1")
_FAILED_BATCHES = sa.text(f"SELECT DISTINCT batch.batch_id {_FAILED}")
_LOADED = sa.text("""
    SELECT batch_date, count(*) FROM ops.source_file
    WHERE state = 'loaded' AND kind = 'sales' AND batch_date BETWEEN :first AND :last
    GROUP BY 1
""")
_AGAIN_OPEN = sa.text("SELECT batch_id FROM ops.batch WHERE state = 'open' AND cause = 'again' AND why = :why")
_OPEN_OF_DAYS = sa.text("""
    SELECT DISTINCT batch_id FROM ops.batch JOIN ops.source_file USING (batch_id)
    WHERE batch.state = 'open' AND batch_date BETWEEN :first AND :last
""")
_REPORTED = sa.text("""
    SELECT DISTINCT business_date, edition FROM ops.mail_outbox
    WHERE report = 'daily' AND business_date BETWEEN :first AND :last
""")
_TRADED = sa.text("SELECT DISTINCT business_date FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last")


@dataclass(frozen=True)
class Day:
    """What a backfill does for one business day; files by what is done with them."""

    business_date: date
    missing: int = 0
    failed: int = 0
    again: int = 0
    reports: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.missing or self.failed or self.again or self.reports)


@dataclass(frozen=True)
class Backfill:
    """A range of business days, both included, and what to catch up on."""

    first: date
    last: date
    mode: str = "missing"
    editions: tuple[str, ...] = ()
    landing: Landing = field(default_factory=Landing, compare=False)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise WrongUseError(f"--mode {self.mode!r} is not known: choose one of {', '.join(MODES)}.")
        if self.first > self.last:
            raise WrongUseError("--from is after --to: write the earlier date first.")

    def plan(self) -> list[Day]:
        """One entry per business day with something to do. Changes nothing."""
        with warehouse.connect() as db:
            missing: Counter[date] = Counter()
            if self.mode in ("missing", "all"):
                missing.update(feed.parse(found.key).batch_date for found in self._unknown(db))
                missing.update(dict(db.execute(_WAITING, self._range).all()))
            failed = dict(db.execute(_FAILED_FILES, self._range).all()) if self.mode in ("failed", "all") else {}
            again = dict(db.execute(_LOADED, self._range).all()) if self.mode == "all" else {}
            reports = self._reports(db)
        days = [Day(day, missing[day], failed.get(day, 0), again.get(day, 0), reports.get(day, ())) for day in self]
        return [day for day in days if not day.is_empty]

    def start(self, actor: str) -> list[str]:
        """Queue the files behind today's work; returns the workflows to wait for."""
        with warehouse.connect() as db:
            if self.mode in ("failed", "all"):
                ledger.reopen(db, db.scalars(_FAILED_BATCHES, self._range).all())
            if self.mode in ("missing", "all"):
                ledger.record(db, self._unknown(db))
                ledger.claim(db, settings().batch_bytes)
            if self.mode == "all" and not db.scalars(_AGAIN_OPEN, {"why": self._why}).all():
                reprocessing.claim_days(
                    db, self.first, self.last, actor=actor, why=self._why, batch_bytes=settings().batch_bytes
                )
                ledger.claim(db, settings().batch_bytes)
            wanted = {*db.scalars(_OPEN_OF_DAYS, self._range), *db.scalars(_AGAIN_OPEN, {"why": self._why})}
        return [workflow for workflow in workflows.enqueue_open_batches() if workflow.split(":")[1] in wanted]

    def start_reports(self) -> list[str]:
        """Queue the reports that no mail was ever made of, oldest first; returns the workflows to wait for."""
        with warehouse.connect() as db:
            reports = self._reports(db)
        return [
            workflows.enqueue_report(day.isoformat(), edition, again=f"backfill-{today()}", priority=workflows.BACKFILL)
            for day in sorted(reports)
            for edition in reports[day]
        ]

    def __iter__(self) -> Iterator[date]:
        """The business days."""
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))

    @property
    def _range(self) -> dict[str, date]:
        return {"first": self.first, "last": self.last}

    @property
    def _why(self) -> str:
        return f"Backfill {self.first}..{self.last}"

    def _unknown(self, db: sa.Connection) -> list[Object]:
        """Sales files of these days that lie in the bucket and not in the ledger."""
        days = (self.last - self.first).days + 1
        prefixes = recent_prefixes(self.last, days) if days <= LISTED_DAYS else ["trucks/"]
        listed = {found for prefix in prefixes for found in self.landing.objects(prefix)}
        mine = [f for f in listed if (day := feed.parse(f.key).batch_date) and self.first <= day <= self.last]
        return [found for found, _ in ledger.compare(db, mine).new]

    def _reports(self, db: sa.Connection) -> dict[date, tuple[str, ...]]:
        """The editions that no mail was made of, per day that traded."""
        made = {tuple(row) for row in db.execute(_REPORTED, self._range)} if self.editions else set()
        days = db.scalars(_TRADED, self._range).all() if self.editions else []
        lacking = {day: tuple(name for name in self.editions if (day, name) not in made) for day in days}
        return {day: names for day, names in lacking.items() if names}
