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
from pathlib import Path
from typing import Any

import pytest

from scheduler.embedded import services
from t3lib.settings import ROOT

FEED = ROOT.parent / "shared" / "feed"


@dataclass(frozen=True)
class Home:
    """A T3_HOME of its own and the `t3` command in it."""

    path: Path

    def t3(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command; environment variables on top of the home's."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
        env |= {"T3_HOME": str(self.path), "T3_OUTPUTS": str(self.path / "outputs"), "T3_EDITED_NOTEBOOKS": "1"}
        env |= environment
        return subprocess.run(
            [sys.executable, "-m", "scheduler.cli", *arguments], env=env, capture_output=True, text=True, timeout=170
        )

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
def _served() -> Iterator[Home]:
    with _folder() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("T3_HOME", str(home.path))
        with services(say=lambda line: None):
            yield home


@pytest.fixture(scope="module")
def cold_home() -> Iterator[Home]:
    """An empty home whose services run only while a command needs them."""
    with _folder() as home:
        yield home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home that a module's tests share; its services are kept running, so that commands join them at once."""
    with _served() as home:
        yield home


@pytest.fixture
def own_home() -> Iterator[Home]:
    """The same for one test alone."""
    with _served() as home:
        yield home


@pytest.fixture
def shared_feed(tmp_path: Path) -> Path:
    """A copy of the real sample files, which are not part of this repository."""
    if not FEED.is_dir():
        pytest.skip("the real sample feed is not beside this repository")
    return Path(shutil.copytree(FEED, tmp_path / "feed"))
