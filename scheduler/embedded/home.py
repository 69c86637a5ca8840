"""T3_HOME: which processes use it, and what the embedded services store there."""

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


@contextmanager
def scratch_folder(prefix: str, where: Path | str | None = None) -> Iterator[Path]:
    """A new folder through which the accounts of Postgres, pages and JupyterLab may pass; deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=where, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


class Home:
    """The folder of the embedded services.

    Every process that uses them holds a shared lock on in-use.lock. The operating system releases the lock when the
    process ends, however it ends, so nothing is counted: the process that can lock it exclusively is the last one."""

    def __init__(self, path: Path):
        self.path = path.absolute()

    def make(self) -> None:
        """Make the folder. Raises ServiceError when this process cannot write in it."""
        try:
            known = self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0 and not known:
                self.path.chmod(0o711)  # the accounts of Postgres, pages and JupyterLab have folders in it
            with tempfile.TemporaryFile(dir=self.path):
                return
        except (PermissionError, FileExistsError, NotADirectoryError, FileNotFoundError) as error:
            raise ServiceError(
                f"This account cannot write in T3_HOME ({self.path}): set T3_HOME to a folder where it can."
            ) from error

    def join(self, say: Callable[[str], None]) -> int:
        """Lock the home as one of its users; returns the lock. Waits while the last user stops the services."""
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
        """Release the lock, also for children that inherited it by a fork."""
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)

    def is_last(self, lock: int) -> bool:
        """Whether no other process uses the home. The lock is then exclusive; otherwise it may be lost."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def start_lock(self) -> Iterator[None]:
        """Held while services are started or adopted: by one process at a time."""
        lock = self._open("start.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def folder(self, name: str, mode: int = 0o700) -> Path:
        """A folder in the home, made when missing."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=mode)
        return path

    @property
    def memory(self) -> dict[str, Any]:
        """What is stored from start to start: secrets, ports, processes."""
        return self._read("embedded.json")

    def remember(self, name: str, **values: Any) -> dict[str, Any]:
        """Store values of one service; returns all values stored for it."""
        memory = self.memory
        memory[name] = memory.get(name, {}) | values
        self._write("embedded.json", memory)
        return memory[name]

    def secret(self, service: str, name: str) -> str:
        """A generated password that never changes. It is on disk before any service gets it."""
        known = self.memory.get(service, {}).get(name)
        return known or self.remember(service, **{name: secrets.token_hex(20)})[name]

    def publish(self, values: dict[str, str]) -> None:
        """Write the settings that lead to the services, for every process that reads settings."""
        self._write(SERVICES_FILE, values) if values else self.path.joinpath(SERVICES_FILE).unlink(True)

    @property
    def published(self) -> dict[str, str]:
        """The settings that were published last."""
        return self._read(SERVICES_FILE)

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, PermissionError) as error:
            raise ServiceError(
                f"{self.path / name} cannot be read ({error}): delete it; the next start writes it again."
            ) from error

    def _write(self, name: str, values: dict[str, Any]) -> None:
        """Replace a file atomically; only this account may read it."""
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
