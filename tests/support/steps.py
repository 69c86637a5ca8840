"""What tests of several processes do again and again: ask the database, change it, wait for something."""

import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from t3lib import warehouse


def one(query: str, **parameters: object) -> Any:
    """The one value that a query gives."""
    with warehouse.connect() as db:
        return db.scalar(sa.text(query), parameters)


def change(query: str, **parameters: object) -> None:
    """Carry out a statement and commit."""
    with warehouse.connect() as db:
        db.execute(sa.text(query), parameters)


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    """Wait for something that must happen; the limit is for what never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
