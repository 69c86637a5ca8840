"""The example fleet in a database that no test changes."""

from collections.abc import Iterator

import pytest

from t3lib.settings import settings
from tests.clusters import own_database
from tests.integration.metrics import example_fleet as example
from tests.support.visitor import given


@pytest.fixture(scope="session")
def _example_database(postgres: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bucket")
    with own_database(postgres, _template) as url:
        with pytest.MonkeyPatch.context() as patch:
            given(patch, T3_DATABASE_URL=url, T3_LANDING_URL=folder.as_uri())
            example.fill(folder)
        settings.cache_clear()
        yield url


@pytest.fixture
def example_fleet(_example_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of a database with the example fleet, also in T3_DATABASE_URL."""
    given(monkeypatch, T3_DATABASE_URL=_example_database)
    return _example_database
