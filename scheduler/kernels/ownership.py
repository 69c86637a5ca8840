"""The owner's side: one warm process per owner process, started when first needed, replaced when stale.

One per owner and not one per machine: it then ends with its owner, and no other user, program or role can
reach it, because the only way in is a socket that the owner holds."""

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

# An import may read these, so a kernel with other values needs another warm process. Nothing else is passed
# to it: what it were told, every kernel could read in its memory.
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
_retired: "list[WarmProcess]" = []  # they still have kernels, or wait to be reaped


@functools.cache
def available() -> bool:
    """Whether this machine can fork kernels safely: Linux with process descriptors (5.3, 2019).

    Not macOS, whose system libraries do not survive a fork, and not Windows, which has none."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def warm(environment: Mapping[str, str] = os.environ, limit: int = KERNELS_AT_MOST) -> None:
    """Let the imports begin now, without waiting for them."""
    if available():
        with _lock:
            _fresh(environment, limit)


def cool() -> None:
    """End the warm process, and wait for that if it has no kernel left."""
    with _lock:
        if _current:
            _retire(_current)
        for process in _retired:
            process.end()


def ask(environment: Mapping[str, str], limit: int) -> socket.socket:
    """Have a kernel forked; returns the channel on which the kernel awaits its request."""
    with _lock:
        process = _fresh(environment, limit)
        try:
            return process.ask()
        except OSError:  # it is being killed, and may not look dead yet
            _retire(process)
            return _fresh(environment, limit).ask()


class WarmProcess:
    """A running `scheduler.kernels.parent` and the socket that makes it fork."""

    def __init__(self, identity: Identity, environment: Mapping[str, str], limit: int) -> None:
        self.identity = identity
        self.control, theirs = socket.socketpair()
        owner = os.pidfd_open(os.getpid())
        kept = (*IMPORT_VARIABLES, *SYSTEM_VARIABLES)
        self.process = subprocess.Popen(
            [sys.executable, "-Xfrozen_modules=off", "-m", PROGRAM]
            + [str(a) for a in (theirs.fileno(), owner, limit, folder.private_folder())],
            # Threads of numeric libraries would be lost in the fork, so they start none.
            env={"OPENBLAS_NUM_THREADS": "1"} | {k: v for k, v in environment.items() if k.startswith(kept)},
            cwd=ROOT,  # where -m finds the code that the owner runs
            pass_fds=(theirs.fileno(), owner),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        os.close(owner)

    def ask(self) -> socket.socket:
        """Send the other end of a new channel. Raises OSError when the process is gone."""
        mine, theirs = socket.socketpair()
        with theirs:
            channel.pass_on(self.control, theirs)
        return mine

    def usable(self, identity: Identity) -> bool:
        """Alive, and started from the same code and environment."""
        return self.process.poll() is None and self.identity == identity

    def end(self, seconds: float = 5) -> None:
        """Wait until a retired process has ended, unless it still has kernels."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


def _fresh(environment: Mapping[str, str], limit: int) -> WarmProcess:
    """The current warm process, or a new one when it is dead or stale."""
    global _current
    identity = _identity(environment, limit)
    if _current is None or not _current.usable(identity):
        if _current:
            _retire(_current)
        _current = WarmProcess(identity, environment, limit)
    return _current


def _retire(process: WarmProcess) -> None:
    """Ask it for no more kernels: it ends with its last one."""
    global _current
    process.control.close()
    _current = None
    _retired[:] = [p for p in (*_retired, process) if p.process.poll() is None]


def _identity(environment: Mapping[str, str], limit: int) -> Identity:
    """What makes a warm process stale when it changes: our code, the installed packages, the interpreter."""
    import t3lib

    packages = [Path(p) for p in site.getsitepackages()]
    code = [f for root in (Path(t3lib.__file__).parent, Path(__file__).parent) for f in _files(root)]
    stamps = tuple((str(p), p.stat().st_mtime_ns) for p in (*packages, *code) if p.exists())
    variables = tuple(sorted((k, v) for k, v in environment.items() if k.startswith(IMPORT_VARIABLES)))
    return sys.executable, folder.private_folder(), limit, stamps, variables


def _files(root: Path) -> list[Path]:
    """What may be imported or read at import; not what editors and the interpreter write beside it."""
    return [
        Path(place, name)
        for place, _, names in sorted(os.walk(root))
        if not place.endswith("__pycache__")
        for name in sorted(names)
        if not name.startswith(".") and not name.endswith("~")
    ]


def _forget() -> None:
    """A forked copy of the owner owns nothing: it starts a warm process of its own."""
    global _current, _lock
    if _current:
        _current.control.close()
    _current, _lock = None, threading.RLock()
    _retired.clear()
    folder.forget()


if available():
    os.register_at_fork(after_in_child=_forget)
