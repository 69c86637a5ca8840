"""Postgres clusters for the tests, copied from some that are made once for all processes of a run.

initdb takes a second of the processor, the migrations two, the queue's tables more: each process of the run, and each
module with a server of its own, would do it again. A copy takes a tenth of a second."""

import fcntl
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from scheduler.accounts import server_accounts
from scheduler.embedded import services
from scheduler.embedded.home import Home, scratch_folder
from scheduler.embedded.postgres import Postgres
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url

TEMPLATE = "template_t3"
# Names the folder of what was made, for the processes of a run.
MADE = "TESTS_MADE"
# Of transactions: the number of the next one, whether one since a number was committed or may be yet.
_NEXT = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_COMMITTED = f"""
SELECT count(*) FROM generate_series(%s, ({_NEXT}) - 1) AS number
WHERE pg_xact_status(number::text::xid8) IS DISTINCT FROM 'aborted'"""
_CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
# Without durability, and nothing that is in a database while it is copied or renamed.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '1GB'", "autovacuum = off")

_numbers = itertools.count()


def begin() -> None:
    """Make the folder for what this run makes."""
    os.environ[MADE] = tempfile.mkdtemp(prefix="t3-made-", dir=_folder_in_memory())


def end() -> None:
    """Remove it."""
    shutil.rmtree(os.environ.pop(MADE), ignore_errors=True)


@contextmanager
def cluster(listen: str = "", *, migrated: bool = False) -> Iterator[str]:
    """URL of an embedded Postgres of its own (superuser, fast because not durable).

    `listen` is an address of this machine at which it lets everybody in, too; `migrated` has the database TEMPLATE."""
    made = _made("migrated", _migrate) if migrated else _made("empty", _initialise)
    with _copied(made) as server:
        url = _superuser(server)
        if listen:
            doors = server.home.path / "doors.conf"
            doors.write_text("local all all trust\nhost all all all trust\n")
            execute(url, f"ALTER SYSTEM SET hba_file = '{doors}'")
            execute(url, f"ALTER SYSTEM SET listen_addresses = '{listen}'")
            server.stop()
            server.launch()
        if migrated:
            execute(named(url, TEMPLATE), "SELECT")  # writes its cache of catalogs, which copies then have
        yield url


@contextmanager
def durable_cluster() -> Iterator[Postgres]:
    """A running server on the disk that survives a crash, with the database TEMPLATE."""
    with scratch_folder("t3-pg-", "/tmp") as home:
        copy_database(_made("migrated", _migrate), home)
        _forget_settings(home)
        with _running(home) as server:
            yield server


def made_home() -> Path:
    """A T3_HOME whose embedded Postgres was made and stopped."""
    return _made("home", _begin_home)


class Databases:
    """Copies of a database, one for each test; one that a test left as it was is given to the next, under a new name.

    Copying a thousand files and removing them takes longer than many a test that only reads or rolls back."""

    def __init__(self, server: str, template: str = TEMPLATE) -> None:
        self._server, self._template, self._spare = server, template, ""
        self._watch = self._connected()
        self._sequences = _sequences(named(server, template))

    @contextmanager
    def one(self) -> Iterator[str]:
        """The URL of a database that equals the template."""
        name = _new_name()
        if self._spare:
            self._ask(f"ALTER DATABASE {self._spare} RENAME TO {name}")
        else:
            self._ask(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        self._spare, url, begun = "", named(self._server, name), self._ask(_NEXT)
        yield url
        warehouse.engine(url).dispose()
        if self._is_unchanged(name, begun):
            self._spare = name
        else:
            self._ask(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Disconnect from the server."""
        self._watch.close()

    def _is_unchanged(self, name: str, begun: int) -> bool:
        """Whether since then no transaction of this server was committed, and nobody is connected to the database.

        Sequences move in transactions that are rolled back, too."""
        end = time.monotonic() + 0.5
        while self._ask(_CONNECTED, name):  # a session ends a moment after its connection
            if time.monotonic() > end or self._ask(_COMMITTED, begun):
                return False
            time.sleep(0.005)
        return not self._ask(_COMMITTED, begun) and (
            self._ask(_NEXT) == begun or _sequences(named(self._server, name)) == self._sequences
        )

    def _ask(self, statement: str, *given: object) -> Any:
        try:
            return self._asked(statement, given)
        except psycopg2.Error:
            if not self._watch.closed:
                raise
        self._watch = self._connected()  # a test ended every session
        return self._asked(statement, given)

    def _asked(self, statement: str, given: tuple[object, ...]) -> Any:
        with self._watch.cursor() as cursor:
            cursor.execute(statement, given or None)
            found = cursor.fetchone() if cursor.description else None
        return found[0] if found else None

    def _connected(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(self._server)
        connection.autocommit = True
        return connection


@contextmanager
def own_database(server: str, template: str) -> Iterator[str]:
    """URL of a copy of a database that is removed at the end."""
    name = _new_name()
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    url = named(server, name)
    yield url
    warehouse.engine(url).dispose()
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _new_name() -> str:
    return f"test_{os.getpid()}_{next(_numbers)}"


def _sequences(url: str) -> list[tuple[Any, ...]]:
    """Where each sequence of a database is."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2")
        return cursor.fetchall()


def copy_database(made: Path, home: Path) -> None:
    """Give a new home that database, with its passwords."""
    subprocess.run(["cp", "-a", made / "postgres", made / "embedded.json", home], check=True)


def named(url: str, name: str) -> str:
    """The URL of another database of the server."""
    return libpq_url(sa.make_url(url).set(database=name).render_as_string(hide_password=False))


def execute(url: str, statement: str) -> None:
    """One statement, outside a transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name; the first process that wants it makes it, the others wait."""
    folder = Path(os.environ[MADE], name)
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with scratch_folder("t3-pg-", _folder_in_memory()) as new:
                make(new)
                unfinished = folder.with_suffix(".new")
                subprocess.run(["cp", "-a", new, unfinished], check=True)
                unfinished.rename(folder)
    return folder


@contextmanager
def _running(home: Path) -> Iterator[Postgres]:
    server = Postgres(Home(home), lambda line: None)
    try:
        server.launch()
        yield server
    finally:
        server.stop()


@contextmanager
def _copied(made: Path) -> Iterator[Postgres]:
    """A running server over a copy."""
    with scratch_folder("t3-pg-", _folder_in_memory()) as home:
        copy_database(made, home)
        with _running(home) as server:
            # Where tests run as root, a page is tested as the owner too, though it runs under an account of its own.
            with (server.cluster.folder / "pg_ident.conf").open("a") as file:
                file.writelines(f"t3 {name} postgres\n" for name in server_accounts.NAMES.values())
            execute(_superuser(server), "SELECT pg_reload_conf()")
            yield server


def _superuser(server: Postgres) -> str:
    return f"postgresql://postgres@/postgres?host={server.cluster.sockets}"


def _forget_settings(home: Path) -> None:
    """Let its server be as durable as a shipped one."""
    (home / "postgres" / "postgresql.auto.conf").write_text("")


def _initialise(home: Path) -> None:
    """A cluster with nothing in it."""
    with _running(home) as server:
        lines = list(FAST)
        if sys.platform == "linux":
            lines.append("file_copy_method = clone")  # the kernel copies a test's database, a third faster
        for line in lines:
            execute(_superuser(server), f"ALTER SYSTEM SET {line}")


def _migrate(home: Path) -> None:
    """One with a migrated database, for tests to copy."""
    copy_database(_made("empty", _initialise), home)
    with _running(home) as server:
        execute(_superuser(server), f"CREATE DATABASE {TEMPLATE}")
        url = named(_superuser(server), TEMPLATE)
        warehouse.upgrade(url)
        _prepare_queue(url)
        warehouse.engine(url).dispose()


def _prepare_queue(url: str) -> None:
    """Let a worker make the queue's tables and enter the queue: it takes more than a second before the first work."""
    from scheduler.queue import workflows

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        with workflows.working():
            pass
    settings.cache_clear()
    execute(url, "DELETE FROM ops.lease")


def _begin_home(home: Path) -> None:
    copy_database(_made("empty", _initialise), home)
    _forget_settings(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_HOME", str(home))
        with services(("database",), say=lambda line: None):
            pass


def _folder_in_memory() -> Path | None:
    """Where copying the thousand files of a database costs a fifth; None where there is no room."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None
