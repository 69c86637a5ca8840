"""T3_HOME: who uses it, and what the embedded services remember there."""

import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from t3lib.problems import ServiceError
from t3lib.settings import SERVICES_FILE


class Home:
    """The folder of the embedded services.

    Every process that uses them holds a shared lock on in-use.lock. The kernel drops the lock with the
    process, however it dies, so nobody has to be counted: who can get it exclusively is the last."""

    def __init__(self, path: Path):
        self.path = path.absolute()

    def make(self) -> None:
        """The folder exists and this process may write in it. Raises ServiceError otherwise."""
        try:
            known = self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0 and not known:
                self.path.chmod(0o711)  # Postgres, pages and JupyterLab have accounts of their own, with folders in it
            with tempfile.TemporaryFile(dir=self.path):
                return
        except (PermissionError, FileExistsError, NotADirectoryError, FileNotFoundError) as error:
            raise ServiceError(
                f"T3_HOME ({self.path}) cannot be written by this account: set T3_HOME to a folder that can."
            ) from error

    def join(self, say: Callable[[str], None]) -> int:
        """Hold the home as one of its users; returns the lock. Waits while a last user stops the services."""
        lock = self._open("in-use.lock")
        for _ in range(20):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return lock
            time.sleep(0.1)
        say("Waiting for another T3 process that is stopping the services ...")
        fcntl.flock(lock, fcntl.LOCK_SH)
        return lock

    def leave(self, lock: int) -> None:
        """Let the home go, also for children that inherited the lock by a fork."""
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)

    def last(self, lock: int) -> bool:
        """Whether the holder of this lock is the last user; the lock is then exclusive, else given up."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def starting(self) -> Iterator[None]:
        """One process at a time starts or adopts services."""
        lock = self._open("start.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def folder(self, name: str, mode: int = 0o700) -> Path:
        """A folder of the home, made when missing."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=mode)
        return path

    @property
    def memory(self) -> dict[str, Any]:
        """What is remembered from start to start: secrets, ports, processes."""
        return self._read("embedded.json")

    def remember(self, name: str, **values: Any) -> dict[str, Any]:
        """Add values to what is remembered of one service; returns all of them."""
        memory = self.memory
        memory[name] = memory.get(name, {}) | values
        self._write("embedded.json", memory)
        return memory[name]

    def secret(self, service: str, name: str) -> str:
        """A generated password, the same one for ever. It is on disk before anything is locked with it."""
        known = self.memory.get(service, {}).get(name)
        return known or self.remember(service, **{name: secrets.token_hex(20)})[name]

    def publish(self, values: dict[str, str]) -> None:
        """Tell every process that reads settings where the services are."""
        self._write(SERVICES_FILE, values) if values else self.path.joinpath(SERVICES_FILE).unlink(True)

    @property
    def published(self) -> dict[str, str]:
        """What was published last."""
        return self._read(SERVICES_FILE)

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return {}
        except (ValueError, PermissionError) as error:
            raise ServiceError(
                f"{self.path / name} cannot be read ({error}): delete it; it is made again at the next start."
            ) from error

    def _write(self, name: str, values: dict[str, Any]) -> None:
        """Replace a file that only this account may read, whole or not at all."""
        handle, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=self.path)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(values, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
