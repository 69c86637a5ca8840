"""The `t3` command in forks of one process that has done its imports: each as separate as a new process, without the
seconds of a start. Not for what Python itself decides at its start, such as the encoding of a locale."""

import array
import gc
import importlib
import io
import json
import os
import pkgutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("scheduler.cli", "scheduler.embedded", "scheduler.queue", "scheduler.runs", "scheduler.worker")


@dataclass(frozen=True)
class Forks:
    """The way to the process that forks."""

    connection: socket.socket

    def run(self, arguments: Sequence[str], env: dict[str, str], files: Sequence[int]) -> None:
        """Start `t3` with an environment of its own and these open files as its stdin, stdout and stderr."""
        given = json.dumps({"arguments": list(arguments), "env": env}).encode()
        socket.send_fds(self.connection, [given], list(files))

    def ended(self) -> int:
        """Wait for its exit code."""
        return array.array("i", self.connection.recv(4))[0]


@contextmanager
def fork_server() -> Iterator[Forks]:
    """The process, until the block ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {name: text for name, text in os.environ.items() if not name.startswith("T3_")}
    command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        command, env=env | {"OPENBLAS_NUM_THREADS": "1"}, pass_fds=[theirs.fileno()], cwd=root, stdin=subprocess.DEVNULL
    )
    theirs.close()
    with ours:
        yield Forks(ours)
    process.wait(30)


def _import() -> None:
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _become(env: dict[str, str], files: list[int]) -> None:
    """Take over the environment and the open files, as Python does at its start."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    encoding = env.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0)), encoding)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), encoding, line_buffering=os.isatty(1))
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w")), encoding, "backslashreplace", line_buffering=True
    )


def _serve(connection: socket.socket) -> None:
    """Fork for each request; the fork leaves this function by SystemExit or returns to end as the command does."""
    from scheduler import cli
    from t3lib.settings import settings

    _import()
    gc.freeze()  # a fork that ends need not look through all that was imported
    while True:
        asked, files, _, _ = socket.recv_fds(connection, 2**20, 3)
        if not asked:
            return
        if (child := os.fork()) == 0:
            connection.close()
            given = json.loads(asked)
            _become(given["env"], files)
            settings.cache_clear()
            sys.argv[0], sys.modules["__main__"].__package__ = "t3", None  # the name that usage lines show
            cli.main(given["arguments"])
            return
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        connection.send(array.array("i", [os.waitstatus_to_exitcode(status)]).tobytes())


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
