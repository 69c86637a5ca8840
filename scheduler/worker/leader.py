"""What the leader does: it keeps the schedule, finds new files, takes over work of dead workers, queues reports."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import psycopg2
import sqlalchemy as sa

from scheduler import schedule
from scheduler.queue import stages, workflows
from scheduler.runs import lost_cells
from scheduler.worker import maintenance, proof_of_cash, readiness
from t3lib import archive, mail, warehouse
from t3lib.ingest import discovery
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.db.locks import HOLDER, TAKE_LEASE

READINESS_SECONDS = 10
MATCHING_SECONDS = 60
_LEAD = "leader"
_log = logging.getLogger("t3.worker")


class Leader:
    """The lease of the leader, held on a connection of its own: only one process has it."""

    def __init__(self, url: str):
        self._url = url
        self._connection: psycopg2.extensions.connection | None = None

    def lead(self) -> bool:
        """Whether this process leads now. Raises psycopg2.OperationalError when the database cannot be reached."""
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(self._url, application_name="t3 leader", connect_timeout=5)
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(HOLDER, {"name": _LEAD})
                if (found := cursor.fetchone()) is not None:
                    return bool(found[0])
                cursor.execute(TAKE_LEASE, {"name": _LEAD})
                return cursor.fetchone() is not None
        except psycopg2.Error:
            self.close()
            raise

    def close(self) -> None:
        """Release the lease."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Scheduler:
    """Does at each tick what the schedule says is due; every part of a tick is idempotent."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self.plan, self.clock, self.landing = schedule.load(), clock, Landing()
        self._last: dict[str, datetime] = {}
        self._queued: set[tuple[date, str]] = set()
        self._checked_runs: set[str] = set()

    def tick(self) -> None:
        """Run every task that is due."""
        now = self.clock()
        if self._due("takeover", now, self.plan.takeover_seconds) and (count := workflows.take_over()):
            _log.warning("took over %s workflows of dead workers", count)
        if self._due("discover", now, self.plan.discover_seconds):
            self._discover(now)
        self._reports(now)
        if self._due("correction", now, self.plan.correction_seconds):
            self._corrections(now)
        if self._due("matching", now, MATCHING_SECONDS):
            proof_of_cash.keep()
        if self._due("archive", now, self.plan.archive_seconds):
            self._archive(now)
        if self._due_since("maintenance", now, self.plan.last_maintenance_due(now, settings().zone)):
            maintenance.ensure_partitions()

    def tidy(self) -> None:
        """Clean up on this machine; every worker does it, leader or not."""
        now = self.clock()
        if self._due_since("staged", now, self.plan.last_maintenance_due(now, settings().zone)):
            maintenance.remove_staged()
        if self._due("lost", now, self.plan.takeover_seconds):
            lost_cells.mark_cells(self._checked_runs)

    def _discover(self, now: datetime) -> None:
        swept = self._last.get("sweep")
        sweep = swept is None or swept < self.plan.last_sweep_due(now, settings().zone)
        stages.park_stranded()
        recent = self._due("recent", now, self.plan.recent_seconds)
        discovery.discover(self.landing, sweep=sweep, only_today=not recent)
        workflows.enqueue_open_batches()
        if sweep:
            self._last["sweep"] = now

    def _reports(self, now: datetime) -> None:
        due = [(day, edition) for day, edition in self.plan.due_reports(now, settings().zone)]
        new = [report for report in due if report not in self._queued]
        if not new or not self._due("readiness", now, READINESS_SECONDS) or not _has_figures():
            return
        for day in sorted({day for day, _ in new}):
            if self._may_report(day, now):
                for edition in [edition for due_day, edition in new if due_day == day]:
                    workflows.enqueue_report(day.isoformat(), edition)
                    self._queued.add((day, edition))
        self._queued &= set(due)

    def _may_report(self, day: date, now: datetime) -> bool:
        """Whether a day's files are loaded or the cut-off has passed; then the operators are notified of gaps."""
        with warehouse.connect() as db:
            found = readiness.of_day(db, day, weeks=self.plan.expected_weeks, share=self.plan.expected_share)
            if found.ready:
                return True
            if self.plan.may_wait(now, settings().zone):
                return False
            text = f"The reports of {day:%-d %B %Y} are sent without: {found.words()}.\n\nFiles that arrive later are"
            text += " loaded as usual. To make and send a report again:\n\n"
            text += f"    t3 report --date {day} --edition cfo --again\n"
            mail.notify_operators(db, "incomplete day", day, f"reports of {day} are sent incomplete", text)
        return True

    def _corrections(self, now: datetime) -> None:
        """Queue a new report where figures changed after it was sent; once per state of the figures."""
        from t3lib.report import corrections  # half a second that a worker which does not lead need not wait for

        with warehouse.connect() as db:
            moved = corrections.moved(db, now, settle_seconds=self.plan.settle_seconds)
        for one in moved:
            workflows.enqueue_report(one.business_date.isoformat(), one.edition, rerun=one.name, ask=one.ask)

    def _archive(self, now: datetime) -> None:
        """Queue the archive for days marked a while ago, so that today is not written after every batch."""
        with warehouse.connect() as db:
            days, since = archive.waiting(db)
        if days and since and now - since > timedelta(seconds=self.plan.archive_seconds) and settings().archive_url:
            workflows.enqueue_archive(now)

    def _due_since(self, name: str, now: datetime, moment: datetime) -> bool:
        """Whether a task has not been done since that moment; if so, marks it as done now."""
        last = self._last.get(name)
        if last is not None and last >= moment:
            return False
        self._last[name] = now
        return True

    def _due(self, name: str, now: datetime, seconds: float) -> bool:
        """Whether a task was last done at least so many seconds ago; if so, marks it as done now."""
        last = self._last.get(name)
        if last is not None and (now - last).total_seconds() < seconds:
            return False
        self._last[name] = now
        return True


def _has_figures() -> bool:
    """Whether anything was loaded yet: there is no report without figures."""
    with warehouse.connect() as db:
        return bool(db.scalar(sa.text("SELECT loaded_at IS NOT NULL FROM mart.watermark")))
