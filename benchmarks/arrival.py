"""From a file put into the bucket to its sales committed, with a running worker: 200 rows a file, one at a time.

A load ends with the notification t3_loaded, which it sends as it commits."""

import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import obstore
import psycopg2

from benchmarks.measures import Measure, row, run, scratch_home
from t3lib.business_day import today
from t3lib.feed.keys import todays_prefix
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url

GOAL_SECONDS = 3.0
ROWS, TIMEOUT_SECONDS = 200, 60


def measure(quick: bool) -> list[Measure]:
    """Median and 95th percentile of the seconds from put to commit."""
    with scratch_home(), _worker(), _listener() as listener:
        _seconds(listener, 0)  # the worker is up and its kernels have done their imports
        taken = sorted(_seconds(listener, number) for number in range(1, 11 if quick else 41))
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    name = f"{ROWS}-row file, put to committed, {len(taken)} files"
    return [
        row(f"{name}, median", statistics.median(taken), "s"),
        row(f"{name}, 95th percentile", p95, "s", goal=f"at most {GOAL_SECONDS}", met=p95 <= GOAL_SECONDS),
        row(f"{name}, longest", taken[-1], "s"),
    ]


def _seconds(listener: "psycopg2.extensions.connection", number: int) -> float:
    key, content = _file(number)
    begun = time.perf_counter()
    obstore.put(Landing().store, key, content)
    if not select.select([listener], [], [], TIMEOUT_SECONDS)[0]:
        raise SystemExit(f"{key} was not loaded within {TIMEOUT_SECONDS} s")
    seconds = time.perf_counter() - begun
    listener.poll()
    listener.notifies.clear()
    time.sleep(0.37 * (number % 7))  # so that files arrive at any point of the worker's tick
    return seconds


def _file(number: int) -> tuple[str, bytes]:
    """The last three hours of trucks 1 to 5; the prices differ from file to file."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    lines = (f"{now - timedelta(minutes=n % 170)},card,{5 + (n * 7 + number) % 7}.{number % 90 + 10}"
             for n in range(ROWS))  # fmt: skip
    key = f"{todays_prefix(today())}/12/T3_T{number % 5 + 1}_{chr(65 + number // 10)}{number % 10}.csv"
    return key, ("timestamp,type,total\n" + "\n".join(lines) + "\n").encode()


@contextmanager
def _worker() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "scheduler.cli", "worker"], env=dict(os.environ),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _listener() -> Iterator["psycopg2.extensions.connection"]:
    """A connection that is notified of every load."""
    connection = psycopg2.connect(libpq_url(settings().need("database_url")))
    connection.autocommit = True
    connection.cursor().execute("LISTEN t3_loaded")
    yield connection
    connection.close()


if __name__ == "__main__":
    run("arrival", __doc__, measure)
