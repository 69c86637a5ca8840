"""Processes of their own for what a test kills, forked from one that has done a worker's imports.

A test then waits for what the process does, not for Python. One is always forked ahead and has begun to warm its
kernels; it is used once. A group of its own: `kill` ends its kernels too, as when a machine fails."""

import atexit
import multiprocessing
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from scheduler import cli, kernels
from scheduler.worker.loop import work as _work
from t3lib.settings import settings

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])
_ahead: "list[Forked]" = []


class Forked:
    """A process that does what it is given; ends when it has done it, and with the tests."""

    def __init__(self, *, warm: bool) -> None:
        _start_server()
        theirs, self._line = _context.Pipe(duplex=False)
        self._process = _context.Process(target=_run, args=(theirs, warm), daemon=True)
        self._process.start()
        theirs.close()
        assert self._process.pid
        self.pid = self._process.pid

    def give(self, task: Callable[[], object], environment: dict[str, str], log: Path | None) -> None:
        """Begin with the task."""
        self._line.send((task, environment, log))

    def poll(self) -> int | None:
        """None while it runs, then its exit code, negative for a signal."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; it must end within so many seconds."""
        self._process.join(seconds)
        code = self._process.exitcode
        assert code is not None, f"still runs after {seconds} s"
        return code

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to the process alone."""
        self._process.kill()

    def kill_group(self) -> None:
        """SIGKILL to it and to what it started that has no group of its own."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()


def start(task: Callable[[], object], *, log: Path | None = None, warmed: bool = True, **environment: str) -> Forked:
    """A process that does the task in this environment and more; its output goes to the log.

    With `warmed` its kernels' imports began some time ago."""
    process = _taken(warmed)
    process.give(task, os.environ | environment, log)
    return process


def t3(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the `t3` command in exactly this environment."""
    process = _taken(warmed="ingest" in arguments)
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("out", "err")]
        process.give(partial(_command, list(arguments), *streams), dict(environment), None)
        code = process.wait(170)
        return subprocess.CompletedProcess(arguments, code, *(stream.read_text() for stream in streams))


def work() -> None:
    """What `t3 worker` does once its services are there: work until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _work(stop)


@cache
def _start_server() -> None:
    """Start the process that forks, without what is set for the test at hand."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("T3_")]:
            patch.delenv(name)
        forkserver.ensure_running()


def _taken(warmed: bool) -> Forked:
    """The one that was forked ahead, and another for the next; or a new one."""
    process = _ahead.pop() if warmed and _ahead else Forked(warm=warmed)
    if warmed:
        _ahead.append(Forked(warm=True))
    return process


def _command(arguments: list[str], *streams: Path) -> None:
    for number, stream in enumerate(streams, 1):
        with stream.open("wb") as file:
            os.dup2(file.fileno(), number)
    cli.main(arguments)


def _run(line: Connection, warm: bool) -> None:
    os.setsid()
    if warm:
        kernels.warm()
    try:
        task, environment, log = line.recv()
    except EOFError:  # the tests ended
        return
    if log:
        with log.open("ab") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    threading.Thread(target=_end_with_the_tests, args=(line,), daemon=True).start()
    try:
        task()
    finally:
        atexit._run_exitfuncs()  # multiprocessing does not


def _end_with_the_tests(line: Connection) -> None:
    with suppress(EOFError, OSError):
        line.recv()
    os.kill(os.getpid(), signal.SIGTERM)
