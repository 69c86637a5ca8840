"""What keeps the house in order: partitions ahead of time, staged files that nothing owns, sessions past limits."""

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.business_day import today
from t3lib.settings import settings
from t3lib.warehouse.db import role_limits

MONTHS_AHEAD = 2
# Younger folders may belong to a notebook that an analyst runs by hand.
STAGED_HOURS = 24
LIMITS_SECONDS = 5
_log = logging.getLogger("t3.worker")


def ensure_partitions(day: date | None = None) -> list[date]:
    """Make the partitions of this month and the next two; returns their first days."""
    day = day or today()
    months = [date(day.year + (day.month - 1 + n) // 12, (day.month - 1 + n) % 12 + 1, 1)
              for n in range(MONTHS_AHEAD + 1)]  # fmt: skip
    with warehouse.connect() as db:
        for month in months:
            db.execute(sa.text("SELECT core.ensure_month(:month)"), {"month": month})
    return months


@contextmanager
def watched_limits() -> Iterator[None]:
    """End the sessions that are past their limits for as long as the block lasts."""
    over = threading.Event()
    threading.Thread(target=watch_limits, args=(over,), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def watch_limits(stop: threading.Event) -> None:
    """End the database sessions that are past what their roles may, until told to stop; the log says which.

    In a thread of its own: what it ends may be what everything else waits for."""
    while not stop.wait(LIMITS_SECONDS):
        try:
            with warehouse.connect() as db:
                ended = role_limits.enforce(db)
        except sa.exc.OperationalError:  # the database is away, which everything else says
            ended = []
        except sa.exc.SQLAlchemyError as error:
            ended = [f"The limits of the roles are not watched: {error}"]
        for line in ended:
            _log.warning(line)


def remove_staged(hours: float = STAGED_HOURS) -> list[str]:
    """Remove this machine's staged folders of batches that are not open; returns their names."""
    staging = settings().outputs / "staging"
    if not staging.is_dir():
        return []
    with warehouse.connect() as db:
        owned = set(db.scalars(sa.text("SELECT batch_id FROM ops.batch WHERE state <> 'done'")))
    before = time.time() - hours * 3600
    old = [folder for folder in staging.iterdir() if folder.name not in owned and folder.stat().st_mtime < before]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(folder.name for folder in old)
