"""A worker's seat: an executor id of this host, held by a lease for as long as its process lives."""

import select
import threading
import time
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions

from t3lib.warehouse.db.locks import END_SESSION, TAKE_LEASE

BEAT_SECONDS, ANSWER_SECONDS = 2, 3
# Without a beat for so long a worker stops its kernels: the server ends its session after ten seconds.
LEASE_SECONDS = 8
# A restart of the server takes every seat at once: in this time the living have theirs again, or ended their kernels.
SETTLING_SECONDS = LEASE_SECONDS + BEAT_SECONDS
MOST_SEATS = 64
_LEASE = "executor "


class SeatTakenError(RuntimeError):
    """Another process holds this worker's seat."""


class Seat:
    """Held from the making to `leave`, and taken again after the connection was lost."""

    def __init__(self, url: str, name: str):
        self._url, self._connection, self._pid = url, _connect(url), 0
        for number in range(1, MOST_SEATS + 1):
            self.executor = f"{name}-{number}"
            if self._take():
                break
        else:
            raise RuntimeError(f"More than {MOST_SEATS} workers run on {name}.")
        self._beaten = time.monotonic()

    def beat(self) -> None:
        """Prove that the seat is still held, or take it again.

        Raises psycopg2.Error while the database is away and SeatTakenError when another process sits on it."""
        try:
            if self._connection is None:
                self._connection = _connect(self._url)
                if not self._take():
                    self._refuse()
            _ask(self._connection, "SELECT 1")
        except psycopg2.Error:
            self.leave()
            raise
        self._beaten = time.monotonic()

    @property
    def is_settled(self) -> bool:
        """Whether it has been held without a break for so long that a seat that is free now is a dead worker's."""
        return time.monotonic() - self._taken > SETTLING_SECONDS

    def keep(self, stop: threading.Event, cut_off: Callable[[], object], lost: Callable[[], object]) -> None:
        """Beat until told to stop; call `cut_off` at each beat missed beyond the lease, `lost` once when it is gone."""
        while not stop.wait(BEAT_SECONDS):
            try:
                self.beat()
            except psycopg2.Error:
                if time.monotonic() - self._beaten > LEASE_SECONDS:
                    cut_off()
            except SeatTakenError:
                cut_off()
                lost()
                return

    def leave(self) -> None:
        """Let go of the seat."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self) -> bool:
        self._taken = time.monotonic()
        free = bool(_ask(self._connection, TAKE_LEASE, {"name": lease(self.executor)}))
        if free:
            self._pid = self._connection.info.backend_pid
        return free

    def _refuse(self) -> None:
        """Raise for a seat that is not free: for the next beat when it is held by our own last connection."""
        # The server may not have noticed yet that our own last connection is gone.
        if _ask(self._connection, END_SESSION, {"name": lease(self.executor), "pid": self._pid}):
            raise psycopg2.OperationalError("the last connection still holds the seat")
        raise SeatTakenError(f"Another worker took the seat {self.executor} while the database was away.")


def lease(executor: str) -> str:
    """The name of a seat's lease."""
    return f"{_LEASE}{executor}"


def seated(leases: set[str]) -> set[str]:
    """The executors among the names of leases."""
    return {name.removeprefix(_LEASE) for name in leases if name.startswith(_LEASE)}


def _connect(url: str) -> extensions.connection:
    """A connection whose every wait has an end. Raises psycopg2.OperationalError."""
    connection = psycopg2.connect(url, async_=True, application_name="t3 executor")
    _finish(connection)
    return connection


def _ask(connection: extensions.connection, query: str, parameters: dict[str, object] | None = None) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        _finish(connection)
        found = cursor.fetchone()
        return found and found[0]


def _finish(connection: extensions.connection) -> None:
    end = time.monotonic() + ANSWER_SECONDS
    while (state := connection.poll()) != extensions.POLL_OK:
        ready = [[connection], []] if state == extensions.POLL_READ else [[], [connection]]
        left = end - time.monotonic()
        if left <= 0 or not any(select.select(*ready, [], left)):
            connection.close()
            raise psycopg2.OperationalError("the database does not answer in time")
