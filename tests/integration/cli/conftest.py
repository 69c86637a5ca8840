"""The command of a home runs in forks of one process, which spares it its imports; `cold_home` runs it as people do."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.conftest import Home
from tests.support.fork_server import Forks, fork_server


@dataclass(frozen=True)
class ForkingHome(Home):
    """A T3_HOME whose `t3` is run by forks."""

    forks: Forks

    def t3(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = self.environment() | environment
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull) as nothing:
            self.forks.run(arguments, env, [nothing.fileno(), out.fileno(), err.fileno()])
            code = self.forks.ended()
            out.seek(0), err.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())

    def environment(self) -> dict[str, str]:
        """This process's, with the home's variables in place of its settings."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
        return env | {"T3_HOME": str(self.path), "T3_OUTPUTS": str(self.path / "outputs"), "T3_EDITED_NOTEBOOKS": "1"}


@pytest.fixture(scope="package")
def forks() -> Iterator[Forks]:
    """Runs `t3` without the seconds of its start."""
    with fork_server() as found:
        yield found


@pytest.fixture(scope="module")
def home(home: Home, forks: Forks) -> ForkingHome:
    """The home with running services, its command in forks."""
    return ForkingHome(home.path, forks)
