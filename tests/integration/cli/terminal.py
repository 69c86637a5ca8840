"""The `t3` command on a terminal."""

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from scheduler import cli
from tests.support import processes

Process = processes.Forked | subprocess.Popen[bytes]


def run(arguments: list[str], columns: int, **environment: str) -> tuple[int, bytes]:
    """The exit code of a command, in a fork, and what a terminal of so many columns got from it."""
    with terminal(columns) as (master, slave):
        task = partial(_on_terminal, arguments, os.ttyname(slave))
        return outcome(master, lambda: processes.start(task, log=None, warmed="ingest" in arguments, **environment))


def outcome(master: int, start: Callable[[], Process]) -> tuple[int, bytes]:
    """The exit code of a process and what it wrote to its terminal."""
    process, written = start(), b""
    while (code := process.poll()) is None:
        written += _waiting(master, 0.01)
    return code, (written + _waiting(master, 0)).replace(b"\r\n", b"\n")


@contextmanager
def terminal(columns: int) -> Iterator[tuple[int, int]]:
    """The two ends of a new terminal: what reads, and what a command has as its input and outputs."""
    ends = pty.openpty()
    fcntl.ioctl(ends[1], termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    yield ends
    for end in ends:
        os.close(end)


def _waiting(master: int, seconds: float) -> bytes:
    """All that was written and not yet read, and what comes within so many seconds."""
    found = b""
    while select.select([master], [], [], seconds)[0]:
        found += os.read(master, 65536)
    return found


def _on_terminal(arguments: list[str], name: str) -> None:
    """Take the terminal and the encoding as Python does at its start, and carry out the command."""
    file = os.open(name, os.O_RDWR | os.O_NOCTTY)
    for number in range(3):
        os.dup2(file, number)
    encoding = os.environ.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)), encoding)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), encoding, line_buffering=True)
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w")), encoding, "backslashreplace", line_buffering=True
    )
    cli.main(arguments)
