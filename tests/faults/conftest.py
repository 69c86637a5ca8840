"""What the fault tests break: a database server of their own, and how often they break it."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from scheduler.embedded.postgres import Postgres
from t3lib import warehouse
from t3lib.settings import settings
from t3lib.simulate import simulate
from tests.clusters import TEMPLATE, durable_cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is slow: it kills and restarts things."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@dataclass
class Cluster:
    """A durable Postgres that a test may kill, with a migrated database per test."""

    server: Postgres
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """A database of it, for the superuser."""
        return f"postgresql://postgres@/{name}?host={self.server.cluster.sockets}"

    @property
    def is_up(self) -> bool:
        """Whether it takes connections, and does not recover from a crash."""
        try:
            self.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def execute(self, statement: str, name: str = "postgres") -> None:
        """One statement, outside a transaction."""
        connection = psycopg2.connect(self.url(name))
        connection.autocommit = True
        connection.cursor().execute(statement)
        connection.close()

    def create(self) -> str:
        """The name of a new database with every schema."""
        name = f"fault_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Remove a database and end its sessions."""
        warehouse.engine(self.url(name)).dispose()
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Fleet:
    """A made-up feed in a folder and what an ingest of it must find."""

    folder: Path
    truth: dict[str, Any]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster; nothing of it is left afterwards."""
    with durable_cluster() as server:
        yield Cluster(server)


@pytest.fixture
def own_database(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a database of that cluster, also in T3_DATABASE_URL."""
    name = cluster.create()
    monkeypatch.setenv("T3_DATABASE_URL", cluster.url(name))
    settings.cache_clear()
    yield name
    cluster.drop(name)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Two weeks of three trucks: some five batches of the smallest size that is allowed."""
    folder = tmp_path_factory.mktemp("fleet")
    truth = folder / "truth.json"
    simulate(folder / "bucket", trucks=3, days=15, end=date(2026, 11, 15), seed=2, truth=truth)
    return Fleet(folder / "bucket", json.loads(truth.read_text()))
