"""Logs of the servers, cut while they are written. A server holds its log open and appends, so what is old is copied
away and the file emptied under it: this works for programs that know nothing of it."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 10 * 2**20
LOOK_SECONDS = 5.0

_kept: set[Path] = set()
_lock = threading.Lock()


def keep(folder: Path) -> None:
    """From now on, for as long as this process lives, the logs of a folder are cut."""
    with _lock:
        first = not _kept
        _kept.add(folder)
    if first:
        threading.Thread(target=_look, name="t3 logs", daemon=True).start()


def cut(log: Path) -> None:
    """Move what a log holds into its `.1.log` once that is much; one process at a time does it.

    A line that is written in between may be lost."""
    if not _is_long(log):
        return
    with log.open("r+b") as file, _alone(file.fileno()):
        if _is_long(log):
            copy = log.with_suffix(".1.log")
            with open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as old:
                # What a flood wrote since the last look is not worth more disk than what one may keep.
                file.seek(-MOST_BYTES, os.SEEK_END)
                shutil.copyfileobj(file, old)
            file.truncate(0)


def _look() -> None:
    while True:
        for log in [log for folder in list(_kept) for log in folder.glob("*.log")]:
            if not log.name.endswith(".1.log"):
                with contextlib.suppress(OSError):  # another process cuts it, or the home is gone
                    cut(log)
        time.sleep(LOOK_SECONDS)


def _is_long(log: Path) -> bool:
    return log.exists() and log.stat().st_size > MOST_BYTES


@contextlib.contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """Raises OSError when another process is at it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield  # closing the file gives it back
