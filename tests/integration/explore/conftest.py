"""One small fleet for all tests here; none changes it."""

from collections.abc import Iterator

import pytest

from t3lib import warehouse
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from tests.clusters import own_database
from tests.conftest import PASSWORDS
from tests.support.feeding import at, put, take_in


@pytest.fixture(scope="package")
def _fleet(postgres: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Truck 3's afternoon of 5 November 2026: £7.00 by card, £4.99 in cash, a total in words and one with a percent."""
    bucket = tmp_path_factory.mktemp("bucket")
    put(bucket, "trucks/2026-11/5/15/T3_T3_A1.csv", at("13:05", "card", "7"), at("14:10", "cash", "4.99"),
        at("14:20", "card", "seven"), at("14:30", "card", "10%"))  # fmt: skip
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,7.00,2.35", "3,Nachos,Mexican,7.00,",
        header="truck_id,menu_item,menu_type,price,unit_cost")  # fmt: skip
    with own_database(postgres, _template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_DATABASE_URL", url)
        patch.setenv("T3_LANDING_URL", bucket.as_uri())
        patch.setenv("T3_EDITED_NOTEBOOKS", "1")
        settings.cache_clear()
        with warehouse.connect() as db:
            roles.ensure(db, PASSWORDS)
        take_in()
        yield {"T3_DATABASE_URL": url, "T3_DATABASE_URL_ANALYST": roles.urls(url, PASSWORDS)["database_url_analyst"]}


@pytest.fixture
def owner(_fleet: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's rights only, as where no role is configured."""
    monkeypatch.setenv("T3_DATABASE_URL", _fleet["T3_DATABASE_URL"])
    settings.cache_clear()


@pytest.fixture
def analyst(_fleet: dict[str, str], owner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An analyst's role is configured too."""
    monkeypatch.setenv("T3_DATABASE_URL_ANALYST", _fleet["T3_DATABASE_URL_ANALYST"])
    settings.cache_clear()
