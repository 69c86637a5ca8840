"""Backfill of past days: plans what is missing from the bucket, the ledger and the outbox, then queues it.

The plan is computed from the ledger each time, so a stopped backfill continues when it is started again."""

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
from t3lib.warehouse.files import batches, ledger, reprocessing

MODES = ("missing", "failed", "all")
# Beyond so many days one listing of the entire bucket is cheaper than several per day.
LISTED_DAYS = 31

_WAITING = sa.text("""
    SELECT batch_date, count(*) AS files FROM ops.source_file LEFT JOIN ops.batch USING (batch_id)
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
_FAILED_FILES = sa.text(f"SELECT file.batch_date, count(*) AS files {_FAILED} GROUP BY 1")
_FAILED_BATCHES = sa.text(f"SELECT DISTINCT batch.batch_id {_FAILED}")
_LOADED = sa.text("""
    SELECT batch_date, count(*) AS files FROM ops.source_file
    WHERE state = 'loaded' AND kind = 'sales' AND batch_date BETWEEN :first AND :last
    GROUP BY 1
""")
_OPEN_REPROCESSING = sa.text("SELECT batch_id FROM ops.batch WHERE state = 'open' AND cause = 'again' AND why = :why")
_OPEN_BATCHES = sa.text("""
    SELECT DISTINCT batch_id FROM ops.batch JOIN ops.source_file USING (batch_id)
    WHERE batch.state = 'open' AND batch_date BETWEEN :first AND :last
""")
_MAILED = sa.text("""
    SELECT DISTINCT business_date, edition FROM ops.mail_outbox
    WHERE report = 'daily' AND business_date BETWEEN :first AND :last
""")
_DAYS_WITH_SALES = sa.text(
    "SELECT DISTINCT business_date FROM mart.sales_hourly WHERE business_date BETWEEN :first AND :last"
)


@dataclass(frozen=True)
class Day:
    """What a backfill does for one business day; files by what is done with them."""

    business_date: date
    missing: int = 0
    failed: int = 0
    reprocess: int = 0
    reports: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.missing or self.failed or self.reprocess or self.reports)


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
                missing.update(day for found in self._undiscovered(db) if (day := feed.parse(found.key).batch_date))
                missing.update(self._files_by_day(db, _WAITING))
            failed = self._files_by_day(db, _FAILED_FILES) if self.mode in ("failed", "all") else {}
            loaded = self._files_by_day(db, _LOADED) if self.mode == "all" else {}
            reports = self._missing_reports(db)
        days = [Day(day, missing[day], failed.get(day, 0), loaded.get(day, 0), reports.get(day, ())) for day in self]
        return [day for day in days if not day.is_empty]

    def start(self, actor: str) -> list[str]:
        """Queue the files behind today's work; returns the workflows to wait for."""
        with warehouse.connect() as db:
            if self.mode in ("failed", "all"):
                batches.reopen(db, db.scalars(_FAILED_BATCHES, self._range).all())
            if self.mode in ("missing", "all"):
                ledger.record(db, self._undiscovered(db))
                batches.claim(db, settings().batch_bytes)
            if self.mode == "all" and not db.scalars(_OPEN_REPROCESSING, {"why": self._why}).all():
                reprocessing.claim_days(
                    db, self.first, self.last, actor=actor, why=self._why, batch_bytes=settings().batch_bytes
                )
                batches.claim(db, settings().batch_bytes)
            wanted = {*db.scalars(_OPEN_BATCHES, self._range), *db.scalars(_OPEN_REPROCESSING, {"why": self._why})}
        return [workflow for workflow in workflows.enqueue_open_batches() if workflow.split(":")[1] in wanted]

    def start_reports(self) -> list[str]:
        """Queue the reports for which no mail exists, oldest first; returns the workflows to wait for."""
        with warehouse.connect() as db:
            reports = self._missing_reports(db)
        return [
            workflows.enqueue_report(day.isoformat(), edition, rerun=f"backfill-{today()}", priority=workflows.BACKFILL)
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

    def _files_by_day(self, db: sa.Connection, query: sa.TextClause) -> dict[date, int]:
        return {row.batch_date: row.files for row in db.execute(query, self._range)}

    def _undiscovered(self, db: sa.Connection) -> list[Object]:
        """Sales files of these days that are in the bucket but not in the ledger."""
        ledger.begin(db)  # before the listing: what another process enters meanwhile is younger
        days = (self.last - self.first).days + 1
        prefixes = recent_prefixes(self.last, days) if days <= LISTED_DAYS else ["trucks/"]
        listed = {found for prefix in prefixes for found in self.landing.objects(prefix)}
        in_range = [f for f in listed if (day := feed.parse(f.key).batch_date) and self.first <= day <= self.last]
        return [found for found, _ in ledger.compare(db, in_range).new]

    def _missing_reports(self, db: sa.Connection) -> dict[date, tuple[str, ...]]:
        """Per day with sales, the editions for which no mail exists."""
        mailed = {tuple(row) for row in db.execute(_MAILED, self._range)} if self.editions else set()
        days = db.scalars(_DAYS_WITH_SALES, self._range).all() if self.editions else []
        missing = {day: tuple(name for name in self.editions if (day, name) not in mailed) for day in days}
        return {day: names for day, names in missing.items() if names}
