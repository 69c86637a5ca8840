"""A real Voilà over a real database, opened in a real Chromium; one of each for all tests here."""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from scheduler import kernels
from scheduler.embedded.processes import free_port
from scheduler.pictures.screenshots import browser, chromium
from scheduler.web import voila_server
from scheduler.web.auth import access
from t3lib import business_day, warehouse
from t3lib.operator_requests import signature
from t3lib.warehouse.db import roles
from tests.clusters import execute, named
from tests.conftest import PASSWORDS

HOSTILE = "<img src=x onerror=document.title='owned'>"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is slow, and needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium; install it: apt-get install chromium"))


@dataclass(frozen=True)
class Site:
    """A served notebook and the database behind it."""

    url: str
    database: str
    log: Path

    @contextmanager
    def change(self) -> Iterator[sa.Connection]:
        """A transaction that ends as a load does: the watermark moves."""
        with warehouse.connect(self.database) as db:
            yield db
            db.execute(sa.text("UPDATE mart.watermark SET version = version + 1, loaded_at = now()"))

    def pence(self, query: str) -> int:
        """One amount by SQL that is not T3's own."""
        with warehouse.connect(self.database) as db:
            return int(db.execute(sa.text(query)).scalar_one())


# A closed tab's kernel ends in half of the shipped time.
IDLE_SECONDS, LOOK_SECONDS = 25, 2
SOONER = [
    f"--MappingKernelManager.cull_{name}" for name in (f"idle_timeout={IDLE_SECONDS}", f"interval={LOOK_SECONDS}")
]

expect.set_options(timeout=30_000)  # a loaded machine is slow, not wrong


@pytest.fixture(scope="session")
def fleet_database(postgres: str, _template: str) -> str:
    """Two weeks of two trucks up to yesterday; one truck's name is an attack."""
    name = f"browser_{os.getpid()}"
    execute(postgres, f"CREATE DATABASE {name} TEMPLATE {_template} STRATEGY FILE_COPY")
    url = named(postgres, name)
    yesterday = business_day.today() - timedelta(days=1)
    with warehouse.connect(url) as db:
        roles.ensure(db, PASSWORDS)
        db.execute(
            sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, :name)"),
            {"name": HOSTILE},
        )
        db.execute(
            sa.text("""INSERT INTO mart.sales_hourly
                SELECT truck, :last - n, 11 + 3 * truck, 0, CASE truck WHEN 1 THEN 'card' ELSE 'cash' END, 2, 1000 + n
                FROM generate_series(0, 13) n, generate_series(1, 2) truck"""),
            {"last": yesterday},
        )
        db.execute(sa.text("UPDATE mart.watermark SET version = 1, loaded_at = now(), last_sale_at = now()"))
    return url


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Starts Voilà on a notebook under a database role; all end with the tests."""
    started: list[subprocess.Popen[bytes]] = []
    home = Path(tempfile.mkdtemp(prefix="t3-home-"))
    kernels.install(home)

    def start(notebook: str, database: str, role: str, **more: str) -> Site:
        port = free_port(0, notebook, print)
        url = roles.urls(database, PASSWORDS)[f"database_url_{role}"]
        with warehouse.connect(database) as db:
            key = signature.key(db).hex() if role == "operator" else ""
        given = {"T3_HOME": str(home), "T3_DATABASE_URL": url, access.KEY: key} | more
        env = {k: v for k, v in os.environ.items() if not k.startswith("T3_")} | given | kernels.environment(home)
        log = home / f"{notebook}.log"
        with log.open("wb") as out:
            started.append(
                subprocess.Popen(
                    [*voila_server.command(port, notebook), *SOONER], env=env, stdout=out, stderr=subprocess.STDOUT
                )
            )
        site = Site(f"http://127.0.0.1:{port}/", database, log)
        _wait(site)
        return site

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def site(serve: Callable[..., Site], fleet_database: str) -> Site:
    """The dashboard over the two trucks."""
    return serve("5_dashboard", fleet_database, "dashboard")


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """One Chromium for a module; each test has a tab of its own."""
    with browser(1280, 900) as found:
        yield found


@pytest.fixture
def tab(context: BrowserContext) -> Iterator[Page]:
    """An empty tab of 1280 px."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    page.close()


def _wait(site: Site) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{site.url}voila/templates/t3/static/t3.css", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise AssertionError(f"Voilà did not start:\n{site.log.read_text()}") from None
            time.sleep(0.1)
