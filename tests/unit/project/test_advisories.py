"""The lock is looked up in an advisory database, or it is said that it was not."""

import socket
import time
from pathlib import Path

import pytest

from scheduler import advisories

pytestmark = pytest.mark.slow  # it starts pip-audit

OLD = "jinja2==2.4.1 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def test_a_database_that_is_not_there_is_said_and_has_a_code_of_its_own(capsys) -> None:
    assert advisories.main(["--database", "http://127.0.0.1:9/"]) == advisories.UNREACHED
    assert "nothing was looked up" in capsys.readouterr().out


def test_a_database_that_never_answers_is_given_up_in_time(capsys) -> None:
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert advisories.main(["--database", url, "--seconds", "1"]) == advisories.UNREACHED
    assert time.monotonic() - begun < 8


def test_a_version_with_a_known_weakness_is_listed(tmp_path: Path, capsys) -> None:
    (tmp_path / "old.lock").write_text(OLD)
    code = advisories.main([str(tmp_path / "old.lock")])
    if code == advisories.UNREACHED:
        pytest.skip("no advisory database answers here")
    assert code == advisories.FOUND
    assert "jinja2 2.4.1: " in capsys.readouterr().out
