"""The lease of a worker: it holds an executor id of this host for as long as the worker's process lives."""

import select
import threading
import time
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

from t3lib.warehouse.db.locks import END_SESSION, TAKE_LEASE

BEAT_SECONDS, ANSWER_SECONDS = 2, 3
# After so long without a heartbeat a worker stops its kernels: the server ends its session after ten seconds.
LEASE_SECONDS = 8
# A restart of the database ends every lease at once. Within this time a living worker has its lease again, or has
# stopped its kernels.
STABLE_SECONDS = LEASE_SECONDS + BEAT_SECONDS
MOST_WORKERS = 64
_PREFIX = "executor "


class LeaseTakenError(RuntimeError):
    """Another process holds this worker's lease."""


class Lease:
    """Held from its creation until `release`; taken again after a lost connection."""

    def __init__(self, url: str, name: str):
        self._url, self._pid = url, 0
        connection = _connect(url)
        self._connection: extensions.connection | None = connection
        for number in range(1, MOST_WORKERS + 1):
            self.executor = f"{name}-{number}"
            if self._take(connection):
                break
        else:
            raise RuntimeError(f"More than {MOST_WORKERS} workers run on {name}.")
        self._last_beat = time.monotonic()

    def beat(self) -> None:
        """Check that the lease is still held, or take it again.

        Raises psycopg2.Error while the database cannot be reached, LeaseTakenError when another process holds it."""
        try:
            connection = self._connection
            if connection is None:
                connection = self._connection = _connect(self._url)
                if not self._take(connection):
                    self._refuse(connection)
            _query(connection, "SELECT 1")
        except psycopg2.Error:
            self.release()
            raise
        self._last_beat = time.monotonic()

    @property
    def is_stable(self) -> bool:
        """Whether it was held without a break for so long that every lease free now belonged to a dead worker."""
        return time.monotonic() - self._taken > STABLE_SECONDS

    def beat_until(self, stop: threading.Event, cut_off: Callable[[], object], lost: Callable[[], object]) -> None:
        """Beat until `stop` is set. Calls `cut_off` at each missed beat once the lease has expired, and `lost` when
        another process has taken it."""
        while not stop.wait(BEAT_SECONDS):
            try:
                self.beat()
            except psycopg2.Error:
                if time.monotonic() - self._last_beat > LEASE_SECONDS:
                    cut_off()
            except LeaseTakenError:
                cut_off()
                lost()
                return

    def release(self) -> None:
        """Release the lease."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self, connection: extensions.connection) -> bool:
        self._taken = time.monotonic()
        free = bool(_query(connection, TAKE_LEASE, {"name": lease_name(self.executor)}))
        if free:
            self._pid = connection.info.backend_pid
        return free

    def _refuse(self, connection: extensions.connection) -> None:
        """Raise because the lease is not free; the next beat tries again if our lost connection still holds it."""
        # The server may not have noticed yet that our connection was lost.
        if _query(connection, END_SESSION, {"name": lease_name(self.executor), "pid": self._pid}):
            raise psycopg2.OperationalError("the lost connection still holds the lease")
        raise LeaseTakenError(f"Another worker took the lease {self.executor} while the database could not be reached.")


def lease_name(executor: str) -> str:
    """The name of an executor's lease."""
    return f"{_PREFIX}{executor}"


def executors(leases: set[str]) -> set[str]:
    """The executors among the names of leases."""
    return {name.removeprefix(_PREFIX) for name in leases if name.startswith(_PREFIX)}


def _connect(url: str) -> extensions.connection:
    """A connection on which every wait has a time limit. Raises psycopg2.OperationalError."""
    connection = psycopg2.connect(url, async_=True, application_name="t3 executor")
    _wait(connection)
    return connection


def _query(connection: extensions.connection, query: str, parameters: dict[str, object] | None = None) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        _wait(connection)
        found = cursor.fetchone()
        return found and found[0]


def _wait(connection: extensions.connection) -> None:
    end = time.monotonic() + ANSWER_SECONDS
    while (state := connection.poll()) != extensions.POLL_OK:
        reading, writing = ([connection], []) if state == extensions.POLL_READ else ([], [connection])
        left = end - time.monotonic()
        if left <= 0 or not any(select.select(reading, writing, [], left)):
            connection.close()
            raise psycopg2.OperationalError("the database does not answer in time")
