"""A bucket that fails: retried, or reported in words; never half a file, and afterwards everything is there."""

import time

import pytest

from scheduler.cli.ingesting.batches import take_in
from scheduler.embedded import services
from scheduler.embedded.home import scratch_folder
from scheduler.queue import workflows
from t3lib import landing as landing_module
from t3lib import warehouse
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.landing import s3 as stores
from t3lib.landing.listing import ListingError
from t3lib.problems import explain
from t3lib.settings import settings
from t3lib.warehouse.files import batches
from tests.faults.injection.store import misbehaving
from tests.support import feeding
from tests.support.feeding import LUNCH, at

ROWS = [at(f"10:{minute:02d}", "card", "8.70") for minute in range(50)]
SALES = [(3, number, 870) for number in range(1, 51)]


@pytest.fixture(scope="module")
def s3():
    """The settings and the folder of a real S3 server."""
    with scratch_folder("t3-home-", "/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_HOME", str(home))
        settings.cache_clear()
        with services(("landing",), say=lambda line: None) as running:
            names = ("s3_endpoint", "s3_access_key_id", "s3_secret_access_key", "s3_region")
            yield {name: settings().need(name) for name in names}, running.landing_folder
        settings.cache_clear()


@pytest.fixture
def store(s3, database, monkeypatch):
    """A proxy before that server, configured as the landing; `folder` is where its objects lie."""
    known, folder = s3
    with misbehaving(known["s3_endpoint"]) as proxy:
        for name, value in (known | {"s3_endpoint": proxy.url, "landing_url": "s3://landing"}).items():
            monkeypatch.setenv(f"T3_{name.upper()}", value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        settings.cache_clear()
        proxy.folder = folder
        feeding.put(folder, LUNCH, *ROWS)
        _wait_until_listed({LUNCH})
        yield proxy
        for left in folder.rglob("*.csv"):
            left.unlink()
        proxy.fault = lambda method, path: None
        _wait_until_listed(set())


def _wait_until_listed(keys):
    """The server looks into the folder a few times a second."""
    while {found.key for found in Landing().objects("trucks")} != keys:
        time.sleep(0.1)


@pytest.fixture
def impatient(monkeypatch):
    """Two seconds for an answer, and a quiet server says nothing for three."""
    monkeypatch.setattr(stores, "ANSWER_SECONDS", 2)


@pytest.mark.parametrize("fault", [500, 503, "drop", "truncate", "hang"])
def test_an_object_that_fails_twice_is_retried(store, impatient, fault):
    discover(Landing(), sweep=True)
    store.times(fault, 2, part="T3_T3")
    feeding.take_in()
    assert sum(request[2] == fault for request in store.requests) == 2
    assert feeding.sales() == SALES
    feeding.assert_reconciles()


@pytest.mark.parametrize("fault", [500, 503, "drop", "hang"])
def test_a_listing_that_fails_twice_is_retried(store, impatient, fault):
    store.times(fault, 2, part="list-type=2")
    assert len(discover(Landing(), sweep=True)) == 1
    assert sum(request[2] == fault for request in store.requests) == 2


def test_a_listing_that_breaks_off_is_retried_and_at_last_enters_nothing_and_says_so(store):
    store.times("truncate", 1, part="list-type=2")
    assert len(discover(Landing(), sweep=True)) == 1
    assert [request[2] for request in store.requests if "list-type=2" in request[1]][-2:] == ["truncate", None]
    feeding.put(store.folder, LUNCH.replace("A1", "B2"), *ROWS)
    store.times("truncate", 99, part="list-type=2")
    with pytest.raises(ListingError) as error:
        discover(Landing(), sweep=True)
    assert "fails at the moment" in explain(error.value)
    assert list(feeding.states()) == [LUNCH]


@pytest.mark.parametrize("fault", [500, "drop", "truncate"])
def test_a_bucket_that_stays_broken_loads_nothing_and_the_next_try_everything(store, fault):
    discover(Landing(), sweep=True)
    (batch_id,) = waiting()
    store.times(fault, 99, part="T3_T3")
    with pytest.raises(landing_module.BaseError):
        feeding.run(batch_id)
    assert feeding.sales() == []
    assert feeding.states() == {LUNCH: "claimed"}
    store.fault = lambda method, path: None
    feeding.take_in()
    assert feeding.sales() == SALES
    feeding.assert_reconciles()


def test_an_object_replaced_between_listing_and_reading_is_left_to_its_successor(store):
    discover(Landing(), sweep=True)
    feeding.put(store.folder, LUNCH, ROWS[0])
    feeding.take_in()
    assert feeding.sales() == SALES[:1]
    assert feeding.rows("SELECT state FROM ops.source_file ORDER BY file_id") == [("superseded",), ("loaded",)]
    feeding.assert_reconciles()


def test_an_object_replaced_while_it_is_read_is_never_half_of_each(store):
    discover(Landing(), sweep=True)
    replaced = False

    def replace() -> None:
        nonlocal replaced
        if not replaced:
            replaced = True
            feeding.put(store.folder, LUNCH, *ROWS[:7])

    store.during = replace
    feeding.take_in()
    assert feeding.sales() in (SALES[:7], SALES)
    store.during = lambda: None
    feeding.take_in()
    assert feeding.sales() == SALES[:7]
    feeding.assert_reconciles()


def test_an_object_that_is_too_large_is_refused_unread(store, monkeypatch):
    monkeypatch.setattr("t3lib.feed.MOST_BYTES", 100)
    feeding.take_in()
    assert feeding.rows("SELECT state, reason FROM ops.source_file") == [
        ("unreadable", "The file is larger than 0 MB: split it and upload the parts.")
    ]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_through_the_notebooks_a_broken_bucket_is_notified_once_and_ingested_later(store, short_pauses):
    store.times(500, 10**6, part="T3_T3")
    with workflows.working():
        assert "fails at the moment" in take_in()[0]
        assert "fails at the moment" in take_in()[0]
        assert feeding.rows("SELECT state FROM ops.batch") == [("failed",)]
        assert incidents() == 1
        store.fault = lambda method, path: None
        assert take_in() == []
    assert feeding.sales() == SALES
    feeding.assert_reconciles()


def incidents() -> int:
    """Mails to the operators about an ingest that failed."""
    query = "SELECT count(*) FROM ops.mail_outbox WHERE report = 'incident' AND subject LIKE '%failed%'"
    return feeding.rows(query)[0][0]


def waiting() -> list[str]:
    with warehouse.connect() as db:
        return [batch.batch_id for batch in batches.open_batches(db)]
