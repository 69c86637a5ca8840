"""A small fleet with a month that is over, and its sealed pack, both made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from t3lib.seal import keys
from t3lib.settings import settings
from tests.clusters import own_database
from tests.integration.seal.sealing import Fleet
from tests.support.visitor import given


@pytest.fixture(scope="session")
def _sealed(postgres: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Path]]:
    folder = tmp_path_factory.mktemp("sealed")
    with own_database(postgres, _template) as url, pytest.MonkeyPatch.context() as patch:
        fleet = Fleet(folder, url)
        given(patch, **fleet.settings)
        keys.make()
        fleet.fill()
        pack = fleet.seal().folder
        yield fleet, pack
    settings.cache_clear()


@pytest.fixture
def fleet(_sealed: tuple[Fleet, Path], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """The fleet, whose database no test changes but those that have `own_fleet`."""
    given(monkeypatch, **_sealed[0].settings)
    return _sealed[0]


@pytest.fixture
def pack(fleet: Fleet, _sealed: tuple[Fleet, Path]) -> Path:
    """Its sealed pack of October, which no test changes."""
    return _sealed[1]


@pytest.fixture
def own_fleet(postgres: str, _template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """The same fleet for one test alone."""
    with own_database(postgres, _template) as url:
        made = Fleet(tmp_path, url)
        given(monkeypatch, **made.settings)
        keys.make()
        made.fill()
        yield made
