"""A worker takes work from the queue, sends mail and carries out operator requests; one worker is also the leader."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scheduler import kernels
from scheduler.queue import requests, workflows
from scheduler.worker.health_endpoint import Pulse
from scheduler.worker.leader import Leader, Scheduler
from t3lib import mail, warehouse
from t3lib.business_day import today
from t3lib.editions import wrong_addresses
from t3lib.problems import ServiceError, error_line, explain
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url

TICK_SECONDS, REQUESTS_SECONDS, MOST_SECONDS = 0.5, 1, 30
REHEARSAL_SECONDS = 20  # a worker that starts has more urgent work
_log = logging.getLogger("t3.worker")


def work(stop: threading.Event, concurrency: int = 1, pulse: Pulse | None = None) -> None:
    """Work until `stop` is set. Raises ServiceError when another process took this worker's lease."""
    kernels.warm()
    pulse, lease_lost = pulse or Pulse(), threading.Event()

    def on_lost() -> None:
        lease_lost.set()
        stop.set()

    for wrong in wrong_addresses():
        _log.warning("%s", wrong)
    with workflows.working(concurrency, lost=on_lost), _leader() as leader:
        scheduler = Scheduler()
        threading.Thread(target=_rehearse_later, args=(stop,), daemon=True).start()
        # Threads of their own: a mail server or a bucket may hang for minutes.
        for seconds, task in ((scheduler.plan.mail_seconds, mail.send_due), (REQUESTS_SECONDS, requests.carry_out)):
            threading.Thread(target=_repeat, args=(stop, seconds, task), daemon=True).start()
        _repeat(stop, TICK_SECONDS, lambda: _tick(scheduler, leader), pulse)
    if lease_lost.is_set():
        raise ServiceError(
            "Another worker took this worker's lease while the database could not be reached: start it again."
        )


def _tick(scheduler: Scheduler, leader: Leader) -> None:
    if leader.lead():
        scheduler.tick()
    scheduler.tidy()


def _repeat(stop: threading.Event, seconds: float, work: Callable[[], object], pulse: Pulse | None = None) -> None:
    """Repeat a task every so many seconds; after an error, which is logged, the pause doubles (30 s at most)."""
    failures, pulse = 0, pulse or Pulse()
    while not stop.wait(min(seconds * 2**failures, MOST_SECONDS)):
        try:
            work()
            failures = 0
            pulse.beat()
        except Exception as error:
            failures = min(failures + 1, 6)
            line = error_line(error)
            pulse.miss(line)
            _log.error(line, exc_info=explain(error) is None)


def _rehearse_later(stop: threading.Event) -> None:
    if not stop.wait(REHEARSAL_SECONDS):
        rehearse_report()


def rehearse_report() -> None:
    """Tell the operators now, not in the morning, if a section of the report is wrong."""
    from t3lib.report import rehearsal  # a second that a worker need not wait for

    try:
        if wrong := rehearsal.wrong_in_force():
            _log.warning("4_report: %s", "; ".join(wrong))
            advice = "A report stops at a cell that fails. Correct the notebook, look at the mail, and commit:"
            text = "\n".join([*wrong, "", advice, "", "    t3 report --preview", "    make check", ""])
            with warehouse.connect() as db:
                mail.notify_operators(db, "report sections", today(), "a section of the report is wrong", text)
    except Exception as error:
        _log.warning("%s", error_line(error))


@contextmanager
def _leader() -> Iterator[Leader]:
    leader = Leader(libpq_url(settings().need("database_url")))
    try:
        yield leader
    finally:
        leader.close()
