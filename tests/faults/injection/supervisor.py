"""Keeps one worker running, as an init system does, and kills what a test wants killed."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from scheduler.embedded.postgres import Postgres
from tests.support import processes

VICTIMS = ("worker", "kernel", "database", "warm parent", "session")


class Supervisor:
    """Restarts the worker whenever it has ended; knows its processes by the folder in their environment."""

    def __init__(self, folder: Path, postgres: Postgres):
        self.folder, self.postgres, self.starts = folder, postgres, 0
        self.worker: processes.Forked | None = None

    def keep(self) -> None:
        """Have a worker."""
        if self.worker is None or self.worker.poll() is not None:
            self.starts += 1
            self.worker = processes.start(
                processes.work, log=self.folder / "worker.log", warmed=False, XDG_RUNTIME_DIR=str(self.folder)
            )

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Keep a worker until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"did not happen in time; {(self.folder / 'worker.log').read_text()}"
            self.keep()
            time.sleep(0.05)

    def kill(self, victim: str, chance: random.Random) -> None:
        """SIGKILL one of VICTIMS, and restart the database server when it was that."""
        if victim == "worker":
            self.worker.kill()
            self.worker.wait()
        elif victim == "kernel":
            self._kill_one(self.kernels, chance)
        elif victim == "warm parent":
            self._kill_one(self.parents, chance)
        elif victim == "session":
            if session := self._kill_one(self.sessions, chance):
                psutil.wait_procs([session], 10)  # until the server knows: what follows meets its crash
        else:
            server = psutil.Process(self.postgres.server.pid)
            for process in (server, *server.children()):
                process.kill()
            self.postgres.launch()

    def stop(self) -> None:
        """End the worker in order."""
        if self.worker and self.worker.poll() is None:
            self.worker.terminate()
            try:
                self.worker.wait(60)
            finally:
                self.worker.kill()

    def parents(self) -> list[psutil.Process]:
        """The processes that fork kernels."""
        mine = psutil.Process(self.worker.pid).children() if self.worker.poll() is None else []
        return [process for process in mine if "scheduler.kernels.parent" in process.cmdline()]

    def kernels(self) -> list[psutil.Process]:
        """The kernels that run now."""
        return [kernel for parent in self.parents() for kernel in parent.children()]

    def sessions(self) -> list[psutil.Process]:
        """The database server's sessions."""
        children = psutil.Process(self.postgres.server.pid).children()
        return [child for child in children if "[local]" in " ".join(child.cmdline())]

    def left(self, seconds: float = 30) -> list[str]:
        """What is still there of the worker some seconds after its end."""
        deadline = time.monotonic() + seconds
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _left(self) -> list[str]:
        every = psutil.process_iter(["environ", "cmdline"])
        return [f"{p.pid} {p.info['cmdline']}" for p in every if str(self.folder) in _environment(p)]

    def _kill_one(self, find: Callable[[], list[psutil.Process]], chance: random.Random) -> psutil.Process | None:
        """Kill one of these, when there is one within some seconds."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                if found := find():
                    victim = chance.choice(found)
                    victim.kill()
                    return victim
            except psutil.NoSuchProcess:
                continue
            time.sleep(0.01)
        return None


def _environment(process: psutil.Process) -> str:
    try:
        return " ".join(process.info["environ"].values()) if process.info["environ"] else ""
    except psutil.Error:
        return ""
