"""Errors of real services, each explained in one plain line that says what to do."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import LocalStore, S3Store

from scheduler.embedded import services
from scheduler.embedded.home import scratch_folder
from t3lib import warehouse
from t3lib.landing import Landing
from t3lib.problems import ServiceError, explain
from t3lib.settings import SettingsError, load, settings
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config


def line_for(work: Callable[[], object]) -> str:
    """The line that a person reads when this work fails."""
    with pytest.raises(Exception) as failed:  # noqa: PT011
        work()
    line = explain(failed.value)
    assert line, repr(failed.value)
    assert "\n" not in line
    return line


def select(url: sa.URL | str, statement: str = "SELECT 1") -> Callable[[], object]:
    def work() -> None:
        with sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 3}).begin() as db:
            db.exec_driver_sql(statement)

    return work


DRIVERS = pytest.mark.parametrize("driver", ["postgresql+psycopg2", "postgresql+psycopg"])


@DRIVERS
def test_no_database_at_the_address(driver: str) -> None:
    line = line_for(select(f"{driver}://t3:x@127.0.0.1:9/t3"))
    assert line.startswith("No database answers at 127.0.0.1")
    assert "T3_DATABASE_URL" in line
    assert "does not run" in line_for(select(f"{driver}://t3:x@/t3?host=/tmp/no-such-folder"))
    assert "no-such-host.invalid is not known" in line_for(select(f"{driver}://t3:x@no-such-host.invalid/t3"))


@DRIVERS
def test_a_wrong_password_and_none_at_all(driver: str, locked: sa.URL) -> None:
    url = locked.set(drivername=driver).update_query_dict({"passfile": "/dev/null"})
    assert line_for(select(url.set(password="wrong"))).startswith("The database refuses the login")
    assert "asks for a password" in line_for(select(url.set(password="")))
    assert "refuses the login" in line_for(select(url.set(username="nobody", password="x")))


@DRIVERS
def test_a_missing_database_a_missing_table_and_a_missing_right(driver: str, database: str) -> None:
    url = sa.make_url(database).set(drivername=driver)
    assert line_for(select(url.set(database="elsewhere"))).startswith("The database elsewhere does not exist")
    assert "t3 db upgrade" in line_for(select(url, "DROP SCHEMA mart CASCADE; SELECT * FROM mart.watermark"))
    with warehouse.connect(database) as db:
        roles.ensure(db, PASSWORDS)
    dashboard = url.set(username="t3_dashboard", password=PASSWORDS["dashboard"])
    assert "may not use table sale" in line_for(select(dashboard, "SELECT * FROM core.sale"))
    assert "too long" in line_for(select(url, "SET statement_timeout = 50; SELECT pg_sleep(9)"))
    assert "closed the connection" in line_for(select(url, "SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_bucket_that_is_missing_denied_or_out_of_reach(locked_bucket: dict[str, str]) -> None:
    def listing(bucket: str = "landing", **changes: str) -> Callable[[], object]:
        config = cast("S3Config", locked_bucket | changes)
        options: ClientConfig = {"allow_http": True, "connect_timeout": "2s"}
        store = S3Store(bucket, config=config, client_options=options, retry_config={"max_retries": 0})
        return lambda: list(obstore.list(store))

    missing = line_for(listing("no-such-bucket"))
    assert missing.startswith(f"The bucket at {locked_bucket['endpoint']}/no-such-bucket does not exist")
    assert "refuses the secret" in line_for(listing(secret_access_key="wrong-secret"))
    assert "T3_S3_ACCESS_KEY_ID" in line_for(listing(access_key_id="somebody-else"))
    assert line_for(listing(endpoint="http://127.0.0.1:9")).startswith("Nothing answers at http://127.0.0.1:9")


def test_a_bucket_that_cannot_be_listed_is_reported_in_the_same_words(
    locked_bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listing(bucket: str = "landing", **changes: str) -> Callable[[], object]:
        for name, value in (locked_bucket | changes).items():
            monkeypatch.setenv(f"T3_S3_{name.upper()}", value)
        settings.cache_clear()
        landing = Landing(f"s3://{bucket}")
        return lambda: list(landing.objects())

    missing = line_for(listing("no-such-bucket"))
    assert missing.startswith(f"The bucket at {locked_bucket['endpoint']}/no-such-bucket does not exist")
    assert "refuses the secret" in line_for(listing(secret_access_key="wrong-secret"))
    assert "T3_S3_ACCESS_KEY_ID" in line_for(listing(access_key_id="somebody-else"))
    assert line_for(listing(endpoint="http://127.0.0.1:9")).startswith("Nothing answers at http://127.0.0.1:9")


def test_a_full_disk() -> None:
    def write() -> None:
        with open("/dev/full", "w") as file:
            file.write("x" * 100_000)

    assert line_for(write).startswith("The disk is full")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_under_the_object_store(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    assert "disk" in line_for(lambda: obstore.put(store, "big", b"x" * 2**21))
    assert "full" in line_for(lambda: obstore.put(store, "big", b"x" * 2**21))


def test_a_folder_without_permission() -> None:
    line = line_for(lambda: Path("/proc/sys/kernel/ostype").unlink())
    assert line.startswith("Permission denied (/proc/sys/kernel/ostype)")


def test_plain_errors_are_shown_as_they_are_and_defects_are_not_explained() -> None:
    assert explain(ServiceError("Say this.")) == "Say this."
    assert "T3_TIMEZONE" in line_for(lambda: load(timezone="Mars"))
    assert explain(KeyError("a defect")) is None
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = SettingsError("T3_X is wrong.")
    assert explain(wrapped) == "T3_X is wrong."


@pytest.fixture
def locked(services_home: None) -> sa.URL:
    """A database that asks for a password."""
    return sa.make_url(load().need("database_url"))


@pytest.fixture
def locked_bucket(services_home: None) -> dict[str, str]:
    """Address of and key to an S3 server."""
    known = load()
    return {
        "endpoint": known.need("s3_endpoint"),
        "access_key_id": known.need("s3_access_key_id"),
        "secret_access_key": known.need("s3_secret_access_key"),
        "region": known.s3_region,
    }


@pytest.fixture
def services_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with folder_for_all() as home:
        monkeypatch.setenv("T3_HOME", str(home))
        with services(("database", "landing"), say=lambda line: None):
            yield


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with folder_for_all() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]).returncode:
            pytest.skip("mounting is not allowed here")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A folder through which the account of Postgres may pass, unlike pytest's."""
    with scratch_folder("t3-home-", "/tmp") as folder:
        yield folder
