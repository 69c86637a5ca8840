"""docs/corrections.md names commands and options that there are."""

import re
import shlex

import pytest

from scheduler.cli import app, session
from scheduler.cli.dates import days_of
from t3lib.problems import WrongUseError
from t3lib.settings import ROOT

PAGE = ROOT / "docs" / "corrections.md"
COMMANDS = re.findall(r"^    t3 (.+)$", PAGE.read_text(), re.MULTILINE)


class StartedError(Exception):
    """A command took its words and asks for its services."""


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_page_is_understood(line: str, monkeypatch: pytest.MonkeyPatch):
    def started(*services: str) -> None:
        raise StartedError

    monkeypatch.setattr(session, "session", started)
    with pytest.raises(StartedError):
        app(shlex.split(line), standalone_mode=False)


def test_a_range_of_days_is_read_and_checked():
    assert [day.day for day in days_of("2026-11-01..2026-11-07", "--reprocess")] == [1, 7]
    assert [day.day for day in days_of("2026-11-05", "--reprocess")] == [5, 5]


@pytest.mark.parametrize("wrong", ["2026-11-07..2026-11-01", "soon", "..2026-11-05"])
def test_a_wrong_range_is_named(wrong: str):
    with pytest.raises(WrongUseError, match="--reprocess"):
        days_of(wrong, "--reprocess")
