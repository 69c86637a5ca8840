"""Rotates the servers' logs while they are written. A server has its log open and appends to it, so the text is copied
away and the file truncated; the server need not know."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 10 * 2**20
CHECK_SECONDS = 5.0

_watched: set[Path] = set()
_lock = threading.Lock()


def watch(folder: Path) -> None:
    """Rotate the logs of a folder from now on, until this process ends."""
    with _lock:
        first = not _watched
        _watched.add(folder)
    if first:
        threading.Thread(target=_rotate_all, name="t3 logs", daemon=True).start()


def rotate(log: Path) -> None:
    """Move a log's text to its `.1.log` when it is longer than MAX_BYTES; one process at a time does so.

    A line that is written meanwhile may be lost."""
    if not _is_long(log):
        return
    with log.open("r+b") as file, _file_lock(file.fileno()):
        if _is_long(log):
            copy = log.with_suffix(".1.log")
            with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as old:
                # Only the end: a flood since the last check must not take more disk than this.
                file.seek(-MAX_BYTES, os.SEEK_END)
                shutil.copyfileobj(file, old)
            file.truncate(0)


def _rotate_all() -> None:
    while True:
        for log in [log for folder in list(_watched) for log in folder.glob("*.log")]:
            if not log.name.endswith(".1.log"):
                with contextlib.suppress(OSError):  # another process rotates it, or the folder was removed
                    rotate(log)
        time.sleep(CHECK_SECONDS)


def _is_long(log: Path) -> bool:
    return log.exists() and log.stat().st_size > MAX_BYTES


@contextlib.contextmanager
def _file_lock(descriptor: int) -> Iterator[None]:
    """Lock the file. Raises OSError when another process has locked it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield  # closing the file releases the lock
