"""The private folder for one owner's kernel sockets and connection files."""

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

MAX_ROOT = 60  # of the 103 bytes of a Unix socket's path; the names of folder, kernel and channel follow
PREFIX = "t3-kernels-"
MIN_AGE_SECONDS = 60  # of a folder to remove: a younger one may not be locked yet

_folder: Path | None = None
_lock: int | None = None  # the folder's lock, held until this process ends


def private_folder() -> Path:
    """The folder, with a short path; it is removed when the process ends, or else when the next one starts."""
    global _folder, _lock
    if _folder is None or not _folder.is_dir():  # systems delete old folders in /tmp
        roots = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()]
        root = next((r for r in roots if r and len(r) <= MAX_ROOT and os.access(r, os.W_OK)), "/tmp")
        _sweep(Path(root))
        _folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        _lock = _lock_folder(_folder)
        atexit.register(_remove, _folder, os.getpid())
    return _folder


def forget() -> None:
    """Called in a forked copy of the owner, which must not use its folder."""
    global _folder
    _folder = None


def _sweep(root: Path) -> None:
    """Remove the folders of owners that were killed together with all their kernels."""
    for path in root.glob(f"{PREFIX}????????"):
        with contextlib.suppress(OSError):  # in use, or removed meanwhile
            state = path.stat()
            if state.st_uid == os.getuid() and state.st_mtime < time.time() - MIN_AGE_SECONDS:
                os.close(_lock_folder(path))
                shutil.rmtree(path)


def _lock_folder(path: Path) -> int:
    """A descriptor that locks the folder. Raises OSError when another process has locked it."""
    import fcntl  # not on Windows, where no folder is needed

    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked copy of the owner
        shutil.rmtree(path, ignore_errors=True)
