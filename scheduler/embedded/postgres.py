"""The embedded Postgres: one server, its database t3, its schemas and roles."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2
import sqlalchemy as sa

from scheduler.embedded.cluster import Cluster, reason
from scheduler.embedded.home import Home
from scheduler.embedded.processes import Server, launch, wait_until
from t3lib import warehouse
from t3lib.problems import ServiceError
from t3lib.warehouse.db import roles

OWNER = "t3"
# How long the sessions of a killed server may take to end.
LOCK_SECONDS = 30
_MIGRATIONS = Path(warehouse.__file__).parent / "db" / "migrations" / "versions"


class Postgres:
    """The server over T3_HOME/postgres; clients connect by a Unix socket, with passwords."""

    name = "database"

    def __init__(self, home: Home, say: Callable[[str], None]):
        self.home, self.say = home, say
        self.cluster = Cluster(home, say)
        self.log = home.path / "logs" / "postgres.log"

    def start(self) -> None:
        """Adopt the running server or start one, then bring schemas and roles up to date."""
        adopted = (server := self.server) is not None and self._wait_ready(server)
        if not adopted:
            self.launch()
        newest = max(path.name for path in _MIGRATIONS.glob("*.py"))
        # Another process has brought them up to date.
        if adopted and self.home.memory.get(self.name, {}).get("migrated") == newest:
            return
        self._ensure_owner()
        self._migrate()
        self.home.remember(self.name, migrated=newest)

    def launch(self) -> None:
        """Start the server, with a new cluster when there is none; leaves the schemas alone."""
        with self._data_lock() as lock:
            run = self.cluster.prepare(lock)
            self.cluster.forget_server()
            command = [str(self.cluster.binary), "-D", str(self.cluster.folder)]
            before = self.log.stat().st_size if self.log.exists() else 0
            server = launch(command, self.log, pass_fds=[lock], **run)
        if not self._wait_ready(server):
            server.stop(signal.SIGINT)
            written = self.log.read_bytes()
            printed = (written[before:] or written).decode(errors="replace")  # all of it when it was rotated meanwhile
            raise ServiceError(f"Postgres did not start. {reason(printed)}")

    def stop(self) -> None:
        """Fast shutdown: running statements are rolled back, the next start needs no recovery."""
        if server := self.server:
            server.stop(signal.SIGINT, wait_seconds=60)
        self.cluster.tidy()

    @property
    def server(self) -> Server | None:
        """The running postmaster of this folder, found by its postmaster.pid."""
        try:
            lines = (self.cluster.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            process = psutil.Process(int(lines[0]))
            mine = process.name() == "postgres" and str(self.cluster.folder) in process.cmdline()
            return Server(process.pid, process.create_time()) if mine else None
        except (FileNotFoundError, NotADirectoryError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    @property
    def settings(self) -> dict[str, str]:
        """database_url of the owner and of each role."""
        host = {"host": str(self.cluster.sockets)}
        url = sa.URL.create("postgresql", OWNER, self.home.secret(self.name, "owner"), database="t3", query=host)
        shown = url.render_as_string(hide_password=False)
        return {"database_url": shown} | roles.urls(shown, self._passwords())

    def problem(self) -> str | None:
        """None when it answers, else what is wrong."""
        if not self.server:
            return "Postgres does not run."
        return None if self._answers() else "Postgres runs but does not answer."

    @contextmanager
    def _data_lock(self) -> Iterator[int]:
        """A lock that initdb, the server and its sessions inherit, so that it is held until all of them have ended.

        Unlike a process id it is also visible from another container that shares the folder."""
        lock = os.open(self.home.path / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        end = time.monotonic() + LOCK_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise ServiceError(
                            f"The data in {self.cluster.folder} are in use by a Postgres that cannot be reached from "
                            f"here (in another container, or one that does not stop): stop it, or set T3_HOME to "
                            f"another folder."
                        ) from None
                    time.sleep(0.1)
            yield lock
        finally:
            os.close(lock)

    def _wait_ready(self, server: Server) -> bool:
        if wait_until(self._answers, server, 5):
            return True
        if server.alive:
            self.say("Waiting for Postgres to recover from a crash ...")
        return wait_until(self._answers, server, 600)

    def _answers(self) -> bool:
        try:
            self._superuser().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _ensure_owner(self) -> None:
        """Make the role and the database t3. Every step can be repeated, so the next start completes a cut one."""
        admin = self._superuser()
        try:
            admin.autocommit = True
            cursor = admin.cursor()
            # A session whose process was killed may still be running one of these steps.
            cursor.execute("SELECT pg_advisory_lock(hashtext('t3 start'))")
            # Then only superusers can connect to this database, and no role of T3 can hold that lock.
            cursor.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
            if not cursor.fetchone():
                cursor.execute(f"CREATE ROLE {OWNER}")
            password = self.home.secret(self.name, "owner")
            verifier = psycopg2.extensions.encrypt_password(password, OWNER, admin, "scram-sha-256")
            cursor.execute(f"ALTER ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD %s", [verifier])
            cursor.execute(f"GRANT pg_monitor, pg_signal_backend, pg_use_reserved_connections TO {OWNER}")
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 't3'")
            if not cursor.fetchone():
                cursor.execute(f"CREATE DATABASE t3 OWNER {OWNER}")
        finally:
            admin.close()

    def _migrate(self) -> None:
        """Bring schemas and roles to this version."""
        url = self.settings["database_url"]
        warehouse.upgrade(url)
        with warehouse.connect(url) as db:
            roles.ensure(db, self._passwords())
        warehouse.engine(url).dispose()
        with closing(self._superuser("t3")) as admin, admin, admin.cursor() as cursor:
            cursor.execute("LOCK TABLE ops.schema_version IN EXCLUSIVE MODE")  # two processes may start at once
            cursor.execute(roles.administrator_sql())

    def _passwords(self) -> dict[str, str]:
        return {name: self.home.secret(self.name, name) for name in roles.NAMES}

    def _superuser(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """A connection as the superuser: by this process's account, without a password."""
        return psycopg2.connect(host=str(self.cluster.sockets), user="postgres", dbname=database, connect_timeout=5)
