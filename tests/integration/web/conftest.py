"""Pages that the tests of this folder share: starting one takes seconds, and most tests only look at it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scheduler.web import processes
from t3lib.settings import settings
from tests.clusters import own_database
from tests.support.visitor import given, patched

TOKEN = "a token that nobody guesses"
TOKENS, PROXY = {"T3_DASHBOARD_TOKEN": TOKEN}, {"T3_PROXY_USER_HEADER": "X-Forwarded-User"}
PUBLIC_NAME = "figures.company.example"
# As shipped but for two waits: a second for each wrong token, 20 seconds for each slow request.
WRONG_TOKEN_SECONDS, SLOW_REQUEST_SECONDS = 0.2, 4
SHORTER_WAITS = f"""
from scheduler.web import application
from scheduler.web.auth import attempts
attempts.DELAY_SECONDS = {WRONG_TOKEN_SECONDS}
application.LIMITS.update(idle_connection_timeout={SLOW_REQUEST_SECONDS}, body_timeout={SLOW_REQUEST_SECONDS})"""


@dataclass(frozen=True)
class Site:
    """A page that is being served, its home and its database."""

    page: processes.Page
    home: Path
    database: str

    @property
    def url(self) -> str:
        return self.page.url

    def answer(self) -> int:
        return self.page.answer()

    @property
    def log(self) -> str:
        return (self.home / "logs" / "dashboard.log").read_text()


@contextmanager
def _home() -> Iterator[Path]:
    """A folder through which the accounts of pages may pass."""
    with tempfile.TemporaryDirectory(prefix="t3-home-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def _module_home() -> Iterator[Path]:
    with _home() as path:
        yield path


@pytest.fixture
def place(database: str, _module_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migrated database and a home, in the environment, for tests that start a page of their own."""
    given(monkeypatch, T3_HOME=str(_module_home))


@contextmanager
def _started(postgres: str, template: str, variables: dict[str, str]) -> Iterator[Site]:
    with _home() as home, own_database(postgres, template) as url, ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            patched(patch, SHORTER_WAITS)
            given(patch, T3_HOME=str(home), T3_OUTPUTS=str(home / "outputs"), T3_DATABASE_URL=url,
                  T3_PUBLIC_NAMES=PUBLIC_NAME, **variables)  # fmt: skip
            page = running.enter_context(processes.page("dashboard"))
        os.environ.pop("T3_DASHBOARD_URL", None)  # set by the page for the links of this process's mails
        settings.cache_clear()
        yield Site(page, home, url)


@pytest.fixture(scope="package")
def served(postgres: str, _template: str) -> Iterator[Callable[..., Site]]:
    """The dashboard under settings (none, TOKENS or PROXY): started for the first test that wants it, kept for all.

    Tests may fill its database and open pages, but must not lock 127.0.0.1 out by wrong tokens."""
    with ExitStack() as running:
        started: dict[str, Site] = {}

        def site(variables: dict[str, str] | None = None) -> Site:
            chosen = variables or {}
            if (key := repr(chosen)) not in started:
                started[key] = running.enter_context(_started(postgres, _template, chosen))
            return started[key]

        yield site


@pytest.fixture(scope="session")
def start_site(postgres: str, _template: str) -> Callable[..., AbstractContextManager[Site]]:
    """Serves the dashboard under these variables for the time of a block."""
    return lambda **variables: _started(postgres, _template, variables)


@pytest.fixture(scope="package")
def lab(postgres: str, _template: str) -> Iterator[processes.Page]:
    """JupyterLab, for all tests that only look at it."""
    with _home() as home, own_database(postgres, _template) as url, ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            given(patch, T3_HOME=str(home), T3_OUTPUTS=str(home / "outputs"), T3_DATABASE_URL=url)
            page = running.enter_context(processes.lab())
        settings.cache_clear()
        yield page
