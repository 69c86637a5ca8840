"""Figures that one open page has read, for the other pages of the same server that show the same.

Whoever comes first reads; the others wait for it and take what it found. Twenty people who open the dashboard at nine,
or twenty open pages after a load, are then one reading of the database instead of twenty."""

import contextlib
import hashlib
import os
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FOLDER = "T3_SHARED_FIGURES"  # given by the server to its kernels: a folder that only its account can open
PATIENCE_SECONDS, KEPT_SECONDS = 3.0, 120.0


def shared(key: object, read: Callable[[], T]) -> T:
    """What `read` returns, read once for all pages that ask with this key; read here where nothing is shared."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return read()
    path = Path(folder) / hashlib.sha256(repr(key).encode()).hexdigest()
    if (found := _found(path)) is not None:
        return found[0]
    with _alone(path.with_suffix(".lock")):
        if (found := _found(path)) is not None:
            return found[0]
        value = read()
        _leave(path, value)
    return value


def _found(path: Path) -> tuple[object] | None:
    try:
        return (pickle.loads(path.read_bytes()),)
    except (OSError, ImportError, AttributeError):  # not there, or left by a page whose modules have moved since
        return None


def _leave(path: Path, value: object) -> None:
    """Put a value there, whole or not at all; what is old goes. A full disk only costs the others a reading."""
    own = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        own.write_bytes(pickle.dumps(value))
        own.replace(path)
    for old in path.parent.iterdir():
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock, or go on without it once somebody has held it for too long."""
    try:
        import fcntl
    except ImportError:  # Windows: each page reads for itself
        yield
        return
    with path.open("w") as file:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.01)
        yield
