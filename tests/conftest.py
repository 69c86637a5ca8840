"""Real services for the tests: one Postgres per session, one database per test."""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from scheduler import kernels
from scheduler.accounts import server_accounts
from scheduler.embedded import services
from scheduler.embedded.home import Home
from scheduler.embedded.postgres import Postgres
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from t3lib.warehouse.db.connection import libpq_url
from tests.support.kernel import Kernel

# The same in every test: the databases of one server share its roles.
PASSWORDS = {name: f"secret of {name}" for name in roles.NAMES}

# Folders whose files share pages, a browser or a warm process: each process that runs one of them starts its own.
SHARING = ("tests/browser/", "tests/integration/kernels/", "tests/integration/web/")

_numbers = itertools.count()


@pytest.hookimpl(trylast=True)  # after the folders that mark their tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: at the end no process waits for another's last file."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests run in one process, and so do those of the folders whose files share servers."""
    from xdist.scheduler import LoadFileScheduling

    class ByServers(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in SHARING if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return ByServers(config, log)


@pytest.fixture(autouse=True)
def _clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Every test starts with no T3_* variable and a home of its own."""
    for name in [name for name in os.environ if name.startswith("T3_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("T3_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("T3_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("T3_EDITED_NOTEBOOKS", "1")  # what is being worked on is what is tested
    settings.cache_clear()
    yield
    settings.cache_clear()


@contextmanager
def cluster(listen: str = "") -> Iterator[str]:
    """URL of an embedded Postgres of its own (superuser, fast because not durable).

    `listen` is an address of this machine at which it lets everybody in, too."""
    folder = Path(tempfile.mkdtemp(prefix="t3-pg-", dir=_folder_in_memory()))
    folder.chmod(0o711)
    server = Postgres(Home(folder), lambda line: None)
    Home(folder).make()
    try:
        server.launch()
        url = f"postgresql://postgres@/postgres?host={server.cluster.sockets}"
        # Where tests run as root, a page is tested as the owner too, though it runs under an account of its own.
        with (server.cluster.folder / "pg_ident.conf").open("a") as file:
            file.writelines(f"t3 {name} postgres\n" for name in server_accounts.NAMES.values())
        lines = ["fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_wal_size = '1GB'"]
        if sys.platform == "linux":
            lines.append("file_copy_method = clone")  # the kernel copies a test's database, a third faster
        for line in lines:
            _execute(url, f"ALTER SYSTEM SET {line}")
        _execute(url, "SELECT pg_reload_conf()")
        if listen:
            doors = folder / "doors.conf"
            doors.write_text("local all all trust\nhost all all all trust\n")
            _execute(url, f"ALTER SYSTEM SET hba_file = '{doors}'")
            _execute(url, f"ALTER SYSTEM SET listen_addresses = '{listen}'")
            server.stop()
            server.launch()
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder_in_memory() -> Path | None:
    """Where copying the thousand files of a database costs a fifth; None where there is no room."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


@pytest.fixture(scope="session")
def made_database() -> Iterator[Path]:
    """A T3_HOME whose embedded Postgres was made and stopped, for `copy_database`: making one takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="t3-home-", dir="/tmp"))
    folder.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_HOME", str(folder))
        with services(("database",), say=lambda line: None):
            pass
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def copy_database(made: Path, home: Path) -> None:
    """Give a new home that database, with its passwords."""
    subprocess.run(["cp", "-a", made / "postgres", made / "embedded.json", home], check=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of the server of this test session. Roles are the server's, not a database's: give them only PASSWORDS."""
    with cluster() as url:
        yield url


@pytest.fixture(scope="session")
def _template(postgres: str) -> str:
    """Name of a migrated database that tests copy."""
    _execute(postgres, "CREATE DATABASE template_t3")
    url = _named(postgres, "template_t3")
    warehouse.upgrade(url)
    prepare_queue(url)
    warehouse.engine(url).dispose()
    return "template_t3"


def prepare_queue(url: str) -> None:
    """Let a worker make the queue's tables and enter the queue: it takes more than a second before the first work."""
    from scheduler.queue import workflows

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        with workflows.working():
            pass
    settings.cache_clear()
    _execute(url, "DELETE FROM ops.lease")


@contextmanager
def own_database(postgres: str, template: str) -> Iterator[str]:
    """URL of a copy of the migrated database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    url = _named(postgres, name)
    yield url
    warehouse.engine(url).dispose()
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(postgres: str, _template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a migrated, empty database of this test's own, also in T3_DATABASE_URL."""
    with own_database(postgres, _template) as url:
        monkeypatch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        yield url


@pytest.fixture
def db(database: str) -> Iterator[sa.Connection]:
    """An open transaction on this test's database."""
    with warehouse.connect(database) as connection:
        yield connection


@pytest.fixture
def bucket(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty landing folder, in T3_LANDING_URL, beside this test's database."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    monkeypatch.setenv("T3_LANDING_URL", folder.as_uri())
    settings.cache_clear()
    return folder


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before the retries of a step, which this process cuts to a tenth of a second."""
    from dbos import _outcome

    pauses: list[float] = []
    sleep = time.sleep

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        sleep(min(seconds, 0.1))

    monkeypatch.setattr(_outcome, "time", SimpleNamespace(sleep=pause))
    return pauses


def _named(url: str, name: str) -> str:
    return libpq_url(sa.make_url(url).set(database=name).render_as_string(hide_password=False))


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


@pytest.fixture(scope="module")
def kernelspec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The kernelspec `t3` in a home of this module's own. The warm process stays for later modules, as its imports take
    seconds; it ends with this one."""
    home = tmp_path_factory.mktemp("home")
    kernels.install(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", kernels.environment(home)["JUPYTER_PATH"])
        yield


@pytest.fixture
def kernel(kernelspec: None) -> Iterator[Kernel]:
    """One kernel `t3`."""
    kernel = Kernel()
    yield kernel
    kernel.close()
