"""Server processes: started, found again by another process, stopped by the last one."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from scheduler.embedded import logs
from t3lib.problems import ServiceError

# Kept so that a server that ends is reaped by the process that started it.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Server:
    """A process by its id and start time, since ids are given again; never by its command line, which changes when
    modules move while a server of an earlier version still runs."""

    pid: int
    started: float

    @property
    def alive(self) -> bool:
        """Whether this very process runs (a few seconds of clock adjustment are not another process)."""
        if self.pid in _children:
            _children[self.pid].poll()
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 5
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self, kind: int = signal.SIGTERM, patience: float = 30) -> None:
        """Ask it to end, wait, and end it by force when it does not."""
        for attempt, seconds in ((kind, patience), (signal.SIGKILL, 5)):
            if not self.alive:
                break
            os.kill(self.pid, attempt)
            self._wait(seconds)
        _children.pop(self.pid, None)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            time.sleep(0.02)


def launch(command: list[str], log: Path, told: str = "", **options: Any) -> Server:
    """Start a server in a session of its own, out of reach of the terminal's Ctrl-C.

    What it is told (a few lines at most) it finds on its standard input, which nobody else can read."""
    log.parent.mkdir(exist_ok=True, mode=0o700)
    logs.cut(log)
    logs.keep(log.parent)
    with log.open("ab") as out:
        ours, theirs = os.pipe()
        os.write(theirs, told.encode())
        os.close(theirs)
        options |= {"umask": 0o077} if os.name == "posix" else {}
        child = subprocess.Popen(command, stdin=ours, stdout=out, stderr=out, start_new_session=True, **options)
        os.close(ours)
    _children[child.pid] = child
    return Server(child.pid, psutil.Process(child.pid).create_time())


def wait_until(ready: Callable[[], bool], server: Server, seconds: float) -> bool:
    """Whether the server became ready in time, False at once when it ended."""
    end = time.monotonic() + seconds
    while server.alive and time.monotonic() < end:
        if ready():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a Ctrl-C wait until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def free_port(remembered: int | None, what: str, say: Callable[[str], None]) -> int:
    """The remembered port, or another one when somebody else took it meanwhile."""
    if remembered and _becomes_free(remembered):
        return remembered
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    if remembered:
        say(f"Port {remembered} of the {what} is used by another program: it now answers at port {port}.")
    return port


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a server's log, for a message."""
    try:
        return " / ".join(log.read_text(errors="replace").strip().splitlines()[-lines:])
    except OSError as error:
        raise ServiceError(f"The log {log} cannot be read: {error.strerror}.") from error


def _becomes_free(port: int) -> bool:
    """Whether it is free, or is so in a moment: a killed server holds its port until the kernel buried it."""
    for _ in range(10):
        if _is_free(port):
            return True
        time.sleep(0.1)
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
