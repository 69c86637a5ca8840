"""A cache of figures that all open pages of one server share.

The first page that needs a view reads the database; the others wait for its result. Twenty people who open the
dashboard at nine, or twenty open pages after a load, cost one query instead of twenty."""

import contextlib
import hashlib
import os
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

FOLDER = "T3_SHARED_FIGURES"  # the server sets this for its kernels: a folder that only its account can open
SHARED_SECONDS = 30  # how long pages share a reading of one version: without a load only lateness and silence change
LOCK_WAIT_SECONDS, KEPT_SECONDS = 3.0, 120.0


def half_minute() -> int:
    """The number of the half-minute that it is now; part of a key, so that older figures are not shared."""
    return int(time.time() // SHARED_SECONDS)


def shared(key: object, read: Callable[[], T]) -> T:
    """The result of `read`, called once for all pages that use this key; without a shared folder each page calls it."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return read()
    path = Path(folder) / hashlib.sha256(repr(key).encode()).hexdigest()
    if (found := _found(path)) is not None:
        return found[0]
    with _locked(path.with_suffix(".lock")):
        if (found := _found(path)) is not None:
            return found[0]
        value = read()
        _store(path, value)
    return value


def _found(path: Path) -> tuple[Any] | None:
    """The stored value in a tuple, because the value itself may be None."""
    try:
        return (pickle.loads(path.read_bytes()),)
    except (OSError, ImportError, AttributeError):  # missing, or written by another version with other modules
        return None


def _store(path: Path, value: object) -> None:
    """Write a value atomically and delete expired ones. On a full disk the other pages read for themselves."""
    own = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        own.write_bytes(pickle.dumps(value))
        own.replace(path)
    for old in path.parent.iterdir():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Take the file lock; go on without it after LOCK_WAIT_SECONDS."""
    try:
        import fcntl
    except ImportError:  # Windows: each page reads for itself
        yield
        return
    with path.open("w", encoding="utf-8") as file:
        end = time.monotonic() + LOCK_WAIT_SECONDS
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.01)
        yield
