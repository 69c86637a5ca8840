"""The command of a home runs in forks, without the seconds of its start; `cold_home` runs it as people do."""

import subprocess

import pytest

from tests.integration.conftest import Home


class ForkingHome(Home):
    """A T3_HOME whose `t3` is run by forks."""

    def t3(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.forked(*arguments, **environment)


@pytest.fixture(scope="module")
def home(home: Home) -> ForkingHome:
    """The home with running services, its command in forks."""
    return ForkingHome(home.path)
