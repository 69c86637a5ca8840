"""A backlog of batches with one worker and with two, each a process of its own that runs one notebook at a time.

Both start warm and share one database, one bucket and, with these, the machine's cores. Rounds alternate. The speed of
two processes of plain arithmetic against one is this machine's limit, measured between the rounds."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import sqlalchemy as sa

from benchmarks.measures import Measure, row, run, scratch_home, seconds
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.simulate import simulate
from t3lib.warehouse.checks import reconciliation

GOAL, TIMEOUT_SECONDS = 1.8, 600
_ARITHMETIC = "sum(number * number % 7 for number in range(40_000_000))"
_SALES = "parameters ->> 'batch_id' IN (SELECT batch_id FROM ops.source_file WHERE kind <> 'metadata')"
_RATE = sa.text(f"""
    SELECT count(DISTINCT parameters ->> 'batch_id') / extract(epoch FROM max(finished_at) - min(started_at)) AS rate
    FROM ops.run WHERE {_SALES}
""")
# Files too: between the metadata and the first sales no batch is open.
_LEFT = sa.text("""
    SELECT (SELECT count(*) FROM ops.batch WHERE state <> 'done')
           + (SELECT count(*) FROM ops.source_file WHERE state IN ('new', 'claimed'))
""")


def measure(quick: bool) -> list[Measure]:
    """Batches per second by number of workers."""
    rounds = [(_round(1), _round(2), _limit()) for _ in range(1 if quick else 3)]
    one, two, limit = (statistics.median(found) for found in zip(*rounds, strict=True))
    return [
        row("one worker", one, "batches/s"),
        row("two workers", two, "batches/s", "one worker", one, f"at least {GOAL}", two / one >= GOAL),
        row("two processes of arithmetic", limit, "times one"),
    ]


def _round(workers: int) -> float:
    """Batches per second, from the start of the first notebook to the end of the last."""
    os.environ["T3_BATCH_BYTES"] = str(2**17)
    settings.cache_clear()
    with scratch_home(), _started(workers):
        settings.cache_clear()
        simulate(settings().need("landing_url"), trucks=20, days=4, sales_per_day=14_000,
                 mishaps=False, end=date(2026, 9, 30))  # fmt: skip
        while discover(Landing(), sweep=True) or _left():  # metadata first, and alone
            _wait_until_done()
        with warehouse.connect() as db:
            if wrong := [check for check in reconciliation.checks(db) if not check.ok]:
                raise SystemExit(f"does not reconcile: {wrong}")
            return float(db.scalar(_RATE))


def _limit() -> float:
    """How many times the work of one process two can do in the same time, if they only calculate."""
    alone = seconds(lambda: _calculate(1))
    return 2 * alone / seconds(lambda: _calculate(2))


def _calculate(processes: int) -> None:
    started = [subprocess.Popen([sys.executable, "-c", _ARITHMETIC]) for _ in range(processes)]
    for process in started:
        process.wait()


@contextmanager
def _started(workers: int) -> Iterator[None]:
    """Run so many worker processes, their kernels' imports done."""
    command = [sys.executable, "-m", "scheduler.cli", "worker"]
    processes = [
        subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    time.sleep(10)
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(90)


def _left() -> int:
    with warehouse.connect() as db:
        return db.scalar(_LEFT)


def _wait_until_done() -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while _left():
        if time.monotonic() > end:
            raise SystemExit(f"{_left()} batches and files are not done after {TIMEOUT_SECONDS} s")
        time.sleep(0.5)


if __name__ == "__main__":
    run("scale_out", __doc__, measure)
