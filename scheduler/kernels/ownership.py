"""The owner's side of forked kernels: a warm process, started when first needed and replaced when stale.

Each owner process has its own, and there is none for the whole machine: it ends with its owner, and no other user,
program or role can use it, as only the owner has its socket."""

import contextlib
import functools
import os
import site
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from scheduler.kernels import channel, folder
from scheduler.kernels.spec import CONFIGURING_VARIABLES, KERNELS_AT_MOST

# Imports may read these variables, so a kernel with other values needs another warm process. Beside them it gets only
# the system's, as every kernel could read the others in its memory.
IMPORT_VARIABLES = (
    *("PYTHON", "LD_", "LANG", "LC_", "TZ", "OPENBLAS_", "OMP_", "MKL_", "NPY_", "NUMEXPR_", "PANDAS_", "ARROW_"),
    *("MPLCONFIGDIR", "MATPLOTLIBRC", "SQLALCHEMY_", "JUPYTER_WIDGETS_ECHO"),
)
SYSTEM_VARIABLES = ("PATH", "USER", "LOGNAME", "TMPDIR", "VIRTUAL_ENV", *CONFIGURING_VARIABLES)
ROOT = Path(__file__).parents[2]
PROGRAM = "scheduler.kernels.parent"

# Interpreter, folder, limit, files with the time of their last change, variables.
Identity = tuple[str, Path, int, tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]

_lock = threading.RLock()
_current: "WarmProcess | None" = None
_retired: "list[WarmProcess]" = []  # take no more requests; they still have kernels, or are not reaped yet


@functools.cache
def available() -> bool:
    """Whether this machine can fork kernels safely: Linux 5.3 or newer, for process descriptors.

    Not macOS, whose system libraries may crash after a fork, and not Windows, which has no fork."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def warm(environment: Mapping[str, str] = os.environ, limit: int = KERNELS_AT_MOST) -> None:
    """Start the imports now, without waiting for them."""
    if available():
        with _lock:
            _usable_process(environment, limit)


def cool() -> None:
    """End the warm process and wait for its end; while it has kernels, it ends after the last of them."""
    with _lock:
        if _current:
            _retire(_current)
        for process in _retired:
            process.wait_end()


def request_kernel(environment: Mapping[str, str], limit: int) -> socket.socket:
    """Have a kernel forked; returns the channel on which it waits for its request."""
    with _lock:
        process = _usable_process(environment, limit)
        try:
            return process.request_kernel()
        except OSError:  # it was killed, though poll() may not show it yet
            _retire(process)
            return _usable_process(environment, limit).request_kernel()


class WarmProcess:
    """A running `scheduler.kernels.parent`, and the socket on which it gets its requests."""

    def __init__(self, identity: Identity, environment: Mapping[str, str], limit: int) -> None:
        self.identity = identity
        self.control, theirs = socket.socketpair()
        owner = os.pidfd_open(os.getpid())
        passed_on = (*IMPORT_VARIABLES, *SYSTEM_VARIABLES)
        self.process = subprocess.Popen(
            [sys.executable, "-Xfrozen_modules=off", "-m", PROGRAM]
            + [str(a) for a in (theirs.fileno(), owner, limit, folder.private_folder())],
            # Threads do not survive the fork, so numeric libraries must start none.
            env={"OPENBLAS_NUM_THREADS": "1"} | {k: v for k, v in environment.items() if k.startswith(passed_on)},
            cwd=ROOT,  # so that -m finds the owner's code
            pass_fds=(theirs.fileno(), owner),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        os.close(owner)

    def request_kernel(self) -> socket.socket:
        """Send the other end of a new channel. Raises OSError when the process has ended."""
        mine, theirs = socket.socketpair()
        with theirs:
            channel.send_channel(self.control, theirs)
        return mine

    def usable(self, identity: Identity) -> bool:
        """Whether it runs, and was started with the same code and environment."""
        return self.process.poll() is None and self.identity == identity

    def wait_end(self, seconds: float = 5) -> None:
        """Wait until it has ended, at most for some seconds, as it may still have kernels."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def _usable_process(environment: Mapping[str, str], limit: int) -> WarmProcess:
    """The current warm process, or a new one when it is dead or stale."""
    global _current
    identity = _identity(environment, limit)
    if _current is None or not _current.usable(identity):
        if _current:
            _retire(_current)
        _current = WarmProcess(identity, environment, limit)
    return _current


def _retire(process: WarmProcess) -> None:
    """Send it no more requests; it ends after its last kernel."""
    global _current
    process.control.close()
    _current = None
    _retired[:] = [p for p in (*_retired, process) if p.process.poll() is None]


def _identity(environment: Mapping[str, str], limit: int) -> Identity:
    """A warm process is stale when this has changed: T3's code, the installed packages, the interpreter, variables."""
    import t3lib

    packages = [Path(p) for p in site.getsitepackages()]
    code = [f for root in (Path(t3lib.__file__).parent, Path(__file__).parent) for f in _files(root)]
    stamps = tuple((str(p), p.stat().st_mtime_ns) for p in (*packages, *code) if p.exists())
    variables = tuple(sorted((k, v) for k, v in environment.items() if k.startswith(IMPORT_VARIABLES)))
    return sys.executable, folder.private_folder(), limit, stamps, variables


def _files(root: Path) -> list[Path]:
    """Files that may be imported or read at import; not those that editors and the interpreter write."""
    return [
        Path(place, name)
        for place, _, names in sorted(os.walk(root))
        if not place.endswith("__pycache__")
        for name in sorted(names)
        if not name.startswith(".") and not name.endswith("~")
    ]


def _forget() -> None:
    """Called in a forked copy of the owner, which must start a warm process of its own."""
    global _current, _lock
    if _current:
        _current.control.close()
    _current, _lock = None, threading.RLock()
    _retired.clear()
    folder.forget()


if available():
    os.register_at_fork(after_in_child=_forget)
