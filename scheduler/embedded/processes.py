"""Server processes: one process starts a server, others find it, the last one stops it."""

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

# So that the process that started a server reaps it.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Server:
    """A process by its id and start time, as ids are reused. Not by its command line, which may be another one in the
    version that started it."""

    pid: int
    started: float

    @property
    def alive(self) -> bool:
        """Whether this process still runs (start times may differ by a few seconds of clock adjustment)."""
        if self.pid in _children:
            _children[self.pid].poll()
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 5
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self, kind: int = signal.SIGTERM, wait_seconds: float = 30) -> None:
        """Send a signal, wait, and kill it when it has not ended."""
        for attempt, seconds in ((kind, wait_seconds), (signal.SIGKILL, 5)):
            if not self.alive:
                break
            os.kill(self.pid, attempt)
            self._wait(seconds)
        _children.pop(self.pid, None)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self.alive and time.monotonic() < end:
            time.sleep(0.02)


def launch(command: list[str], log: Path, stdin: str = "", **options: Any) -> Server:
    """Start a server in a session of its own, so that Ctrl-C in the terminal does not reach it.

    `stdin` (a few lines at most) is its standard input, which no other process can read."""
    log.parent.mkdir(exist_ok=True, mode=0o700)
    logs.rotate(log)
    logs.watch(log.parent)
    with log.open("ab") as out:
        ours, theirs = os.pipe()
        os.write(theirs, stdin.encode())
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
def interrupt_deferred() -> Iterator[None]:
    """Delay Ctrl-C until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            signal.raise_signal(signal.SIGINT)


def free_port(remembered: int | None, what: str, say: Callable[[str], None]) -> int:
    """The remembered port, or another one when a different program uses it now."""
    if remembered and _becomes_free(remembered):
        return remembered
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    if remembered:
        say(f"Port {remembered} of the {what} is used by another program: it now uses port {port}.")
    return port


def log_end(log: Path, lines: int = 3) -> str:
    """The end of a server's log, for a message."""
    try:
        return " / ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-lines:])
    except OSError as error:
        raise ServiceError(f"The log {log} cannot be read: {error.strerror}.") from error


def _becomes_free(port: int) -> bool:
    """Whether it is free now or within a second: the system frees a killed server's port with a delay."""
    for _ in range(10):
        if _is_free(port):
            return True
        time.sleep(0.1)
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers set it: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
