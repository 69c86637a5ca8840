"""Real services for the tests: one Postgres per session, one database per test."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from scheduler import kernels
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from tests import clusters
from tests.clusters import Databases
from tests.support.kernel import Kernel

# The same in every test: the databases of one server share its roles.
PASSWORDS = {name: f"secret of {name}" for name in roles.NAMES}

# Folders whose files share pages, a browser or a warm process: each process that runs one of them starts its own.
SHARING = ("tests/browser/", "tests/integration/kernels/", "tests/integration/web/")


def pytest_configure(config: pytest.Config) -> None:
    """The process that starts the others makes a folder for what they share."""
    if not hasattr(config, "workerinput"):
        clusters.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing is left of it."""
    if not hasattr(config, "workerinput"):
        clusters.end()


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


@pytest.fixture(scope="session")
def made_database() -> Path:
    """A T3_HOME whose embedded Postgres was made and stopped, for `copy_database`: making one takes seconds."""
    return clusters.made_home()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of the server of this test session. Roles are the server's, not a database's: give them only PASSWORDS."""
    with clusters.cluster(migrated=True) as url:
        yield url


@pytest.fixture(scope="session")
def _template(postgres: str) -> str:
    """Name of a migrated database that tests copy."""
    return clusters.TEMPLATE


@pytest.fixture(scope="session")
def databases(postgres: str) -> Iterator[Databases]:
    """Migrated, empty databases for the tests."""
    copies = Databases(postgres)
    yield copies
    copies.close()


@pytest.fixture
def copies(databases: Databases) -> Databases:
    """The databases of which this test has one; folders whose tests share a fill give another."""
    return databases


@pytest.fixture
def database(copies: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a migrated, empty database of this test's own, also in T3_DATABASE_URL."""
    with copies.one() as url:
        monkeypatch.setenv("T3_DATABASE_URL", url)
        settings.cache_clear()
        yield url


@pytest.fixture
def db(database: str) -> Iterator[sa.Connection]:
    """An open transaction on this test's database, which could be committed at the end of the test and is undone."""
    with warehouse.engine(database).connect() as connection, connection.begin() as transaction:
        yield connection
        if transaction.is_active and not _has_failed(connection):
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.rollback()


def _has_failed(connection: sa.Connection) -> bool:
    """Whether an error of the test ended its transaction."""
    driver: Any = connection.connection.dbapi_connection
    return bool(driver.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_INERROR)


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
