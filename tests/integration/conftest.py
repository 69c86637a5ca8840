"""A home with embedded services that the tests of a module share, and the command run as people run it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler import cli
from scheduler.embedded import services
from t3lib import business_day, warehouse
from t3lib.archive import Archive
from t3lib.settings import ROOT, settings
from tests.clusters import Databases, copy_database, own_database
from tests.support.feeding import LUNCH, at, put, rows, take_in
from tests.support.mailbox import Mailbox, mailbox
from tests.support.pages import HOSTILE, SUNDAY, loaded, sell

FEED = ROOT.parent / "shared" / "feed"


@dataclass(frozen=True)
class Home:
    """A T3_HOME of its own and the `t3` command in it."""

    path: Path

    def t3(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command; environment variables on top of the home's."""
        return subprocess.run(
            [sys.executable, "-m", "scheduler.cli", *arguments],
            env=self._environment | environment, capture_output=True, text=True, timeout=170,
        )  # fmt: skip

    def forked(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The same without the seconds of a start, in a fork of a process that has done the imports."""
        from tests.support import processes

        return processes.t3(arguments, self._environment | environment)

    @property
    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
        return env | {"T3_HOME": str(self.path), "T3_OUTPUTS": str(self.path / "outputs"), "T3_EDITED_NOTEBOOKS": "1"}

    def status(self, **environment: str) -> dict[str, Any]:
        """`t3 status --json`."""
        return json.loads(self.t3("status", "--json", **environment).stdout)


@contextmanager
def _folder() -> Iterator[Home]:
    """Directly under the temporary folder, through which the embedded Postgres' account may pass."""
    path = Path(tempfile.mkdtemp(prefix="t3-home-"))
    path.chmod(0o711)
    yield Home(path)
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _served(made: Path) -> Iterator[Home]:
    with _folder() as home, pytest.MonkeyPatch.context() as patch:
        copy_database(made, home.path)
        patch.setenv("T3_HOME", str(home.path))
        with services(say=lambda line: None):
            yield home


@pytest.fixture(scope="module")
def cold_home() -> Iterator[Home]:
    """An empty home whose services run only while a command needs them."""
    with _folder() as home:
        yield home


@pytest.fixture(scope="module")
def home(made_database: Path) -> Iterator[Home]:
    """A home that a module's tests share; its services are kept running, so that commands join them at once."""
    with _served(made_database) as home:
        yield home


@pytest.fixture
def own_home(made_database: Path) -> Iterator[Home]:
    """The same for one test alone."""
    with _served(made_database) as home:
        yield home


@pytest.fixture
def shared_feed(tmp_path: Path) -> Path:
    """A copy of the real sample files, which are not part of this repository."""
    if not FEED.is_dir():
        pytest.skip("the real sample feed is not beside this repository")
    return Path(shutil.copytree(FEED, tmp_path / "feed"))


@pytest.fixture
def t3(bucket, tmp_path, monkeypatch, capsys):
    """Runs the command in this process, every service configured; returns its exit code and what it printed."""
    (tmp_path / "archive").mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", (tmp_path / "archive").as_uri())
    monkeypatch.setenv("T3_SMTP_URL", "smtp://127.0.0.1:1")
    settings.cache_clear()

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments))
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def fleets(postgres: str, _template: str) -> Iterator[Databases]:
    """Databases in which truck 1 took £10 by card at 13:00, truck 2 £4 in cash at 18:00, on each day of five weeks."""
    with own_database(postgres, _template) as url:
        with warehouse.connect(url) as db:
            db.execute(
                sa.text("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, :name)"),
                {"name": HOSTILE},
            )
            for day in (SUNDAY - timedelta(days=n) for n in range(35)):
                sell(db, 1, day, 13, "card", 2, 1000)
                sell(db, 2, day, 18, "cash", 1, 400)
            loaded(db, "2025-11-23 18:20+00")
        warehouse.engine(url).dispose()
        copies = Databases(postgres, sa.make_url(url).database or "")
        yield copies
        copies.close()


@pytest.fixture
def copies(request: pytest.FixtureRequest, databases: Databases) -> Databases:
    """Of these the test's database is one where it has the fleet, else of empty ones."""
    return request.getfixturevalue("fleets") if "fleets" in request.fixturenames else databases


@pytest.fixture
def fleet(fleets: Databases, database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """It is the last Sunday of the fleet's five weeks."""
    monkeypatch.setattr(business_day, "today", lambda now=None: SUNDAY)
    return database


@pytest.fixture
def archive_folder(bucket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty archive in a folder, beside an empty bucket."""
    path = tmp_path / "archive"
    path.mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", path.as_uri())
    settings.cache_clear()
    return path


@pytest.fixture
def archive_bucket(bucket: Path) -> Iterator[Archive]:
    """An empty archive in a bucket of the embedded S3 server."""
    with services(("archive",), say=lambda line: None):
        yield Archive()


@pytest.fixture(params=["archive_folder", "archive_bucket"])
def archive_store(request: pytest.FixtureRequest) -> Archive:
    """An empty archive of either kind."""
    request.getfixturevalue(request.param)
    return Archive()


@pytest.fixture
def box(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that takes everything, in T3_SMTP_URL, and mails leave."""
    with mailbox() as server:
        monkeypatch.setenv("T3_SMTP_URL", server.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        settings.cache_clear()
        yield server


@pytest.fixture
def no_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that count mails: nobody is notified."""
    monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", "")
    monkeypatch.setattr("t3lib.mail.sending.notify_operators", lambda *_: [])


@pytest.fixture
def shifted(bucket: Path) -> Path:
    """A truck that sells at 4.99 by its menu (file 1); of file 2, row 1 is a sale, row 2 is 499, row 3 is VOID."""
    menu = "truck_id,menu_item,menu_type,price"
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header=menu)
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"), at("12:02", "cash", "VOID"))
    take_in()
    assert rows("SELECT row_number, reason, suggested_pence FROM ops.rejected_row ORDER BY 1") == [
        (2, "decimal_shift", 499),
        (3, "void", None),
    ]
    return bucket


@pytest.fixture
def file_id(shifted: Path) -> int:
    """The id of that truck's file of sales."""
    return rows("SELECT file_id FROM ops.source_file WHERE key = :key", key=LUNCH)[0][0]
