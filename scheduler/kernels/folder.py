"""The private folder for one owner's kernel sockets and connection files."""

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

ROOT_AT_MOST = 60  # of the 103 bytes of a unix address; names of folder, kernel and channel follow
PREFIX = "t3-kernels-"
SETTLED_SECONDS = 60

_folder: Path | None = None
_hold: int | None = None  # locks the folder for as long as this process lives


def private_folder() -> Path:
    """The folder, with a short path; it goes when the process ends, or else when the next one starts."""
    global _folder, _hold
    if _folder is None or not _folder.is_dir():  # systems clear old folders out of /tmp
        roots = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()]
        root = next((r for r in roots if r and len(r) <= ROOT_AT_MOST and os.access(r, os.W_OK)), "/tmp")
        _sweep(Path(root))
        _folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        _hold = _locked(_folder)
        atexit.register(_remove, _folder, os.getpid())
    return _folder


def forget() -> None:
    """In a forked copy of the owner: the folder is not ours."""
    global _folder
    _folder = None


def _sweep(root: Path) -> None:
    """Remove what owners left that were killed together with all their kernels."""
    for path in root.glob(f"{PREFIX}????????"):
        with contextlib.suppress(OSError):  # somebody else's, or gone already
            state = path.stat()
            if state.st_uid == os.getuid() and state.st_mtime < time.time() - SETTLED_SECONDS:
                os.close(_locked(path))
                shutil.rmtree(path)


def _locked(path: Path) -> int:
    """A descriptor that holds the folder's lock. Raises OSError when a living process holds it."""
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
