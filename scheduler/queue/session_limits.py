"""The limits of the database roles, enforced for as long as a worker runs."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.warehouse.db import role_limits

LIMITS_SECONDS = 5
_log = logging.getLogger("t3.worker")


@contextmanager
def watched_limits() -> Iterator[None]:
    """While the block runs, end database sessions that exceed the limits of their role."""
    finished = threading.Event()
    threading.Thread(target=watch_limits, args=(finished,), daemon=True).start()
    try:
        yield
    finally:
        finished.set()


def watch_limits(stop: threading.Event) -> None:
    """End database sessions that exceed the limits of their role, and log each, until `stop` is set.

    Runs in a thread of its own: the other threads may be waiting for such a session."""
    while not stop.wait(LIMITS_SECONDS):
        try:
            with warehouse.connect() as db:
                ended = role_limits.enforce(db)
        except sa.exc.OperationalError:  # the database cannot be reached: the worker's other parts log that
            ended = []
        except sa.exc.SQLAlchemyError as error:
            ended = [f"The limits of the database roles cannot be enforced: {error}"]
        for line in ended:
            _log.warning(line)
