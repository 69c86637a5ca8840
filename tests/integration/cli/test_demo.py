"""The README's first command, in short: everything from the bucket to the mail and the dashboard."""

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from contextlib import closing
from typing import Any

import psutil
import psycopg2
import pytest

from scheduler.accounts import server_accounts
from tests.integration.conftest import Home
from tests.support.steps import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(cold_home: Home) -> dict[str, Any]:
    """What the first demo of a home that was empty says of itself. Two weeks: what is checked needs no more."""
    first = cold_home.t3("demo", "--once", "--days", "14")
    assert first.returncode == 0, first.stderr
    return json.loads(first.stdout)


def test_what_a_run_leaves_is_for_its_account_and_the_page_that_shows_it(demo: dict[str, Any], cold_home: Home):
    shared = {"dashboard", "operations", "lab"}  # folders of accounts: what T3 wrote there holds nothing
    opened = []
    for place in cold_home.path.rglob("*"):
        found = place.lstat()
        relative = place.relative_to(cold_home.path)
        if found.st_mode & 0o077 and not stat.S_ISLNK(found.st_mode) and relative.parts[0] not in shared:
            opened.append((str(relative), oct(stat.S_IMODE(found.st_mode)), found.st_gid))
    reader = pwd.getpwnam(server_accounts.NAMES["operations"]).pw_gid if server_accounts.enabled() else None
    copies = [entry for entry in opened if entry[0].split("/")[:2] == ["outputs", "runs"] or entry[0] == "outputs"]
    assert {(mode, group) for _, mode, group in copies} <= {("0o2750", reader), ("0o640", reader)}
    others = {entry[0]: entry[1] for entry in opened if entry not in copies}
    assert {name: mode for name, mode in others.items() if mode not in ("0o711", "0o777")} == {}
    assert {name for name, mode in others.items() if mode == "0o711"} <= {"run"}
    assert list((cold_home.path / "outputs" / "runs").rglob("*.ipynb"))


def test_the_demo_equals_the_truth_and_its_second_start_changes_nothing(demo: dict[str, Any], cold_home: Home):
    truth = json.loads((cold_home.path / "demo-truth.json").read_text())
    sums = {name: truth[name] for name in ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded")}
    assert {name: demo[name] for name in sums} == sums
    assert (demo["mails_sent"], demo["dashboard_status"]) == (2, 200)
    assert set(demo) == {*sums, "mails_sent", "dashboard_status", "seconds"}
    again = json.loads(cold_home.t3("demo", "--once", "--days", "14").stdout)
    assert {**again, "seconds": 0} == {**demo, "seconds": 0}
    assert cold_home.t3("doctor").returncode == 0


def test_ctrl_c_stops_the_live_demo_and_leaves_no_process(cold_home):
    env = {name: value for name, value in os.environ.items() if not name.startswith("T3_")}
    env |= {"T3_HOME": str(cold_home.path), "T3_OUTPUTS": str(cold_home.path / "outputs")}
    with subprocess.Popen([sys.executable, "-m", "scheduler.cli", "demo"], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:  # fmt: skip
        try:
            printed = next(line for line in demo.stdout if "dashboard " in line)
            assert "http://127.0.0.1:" in printed
            before = _sales(cold_home)
            until(lambda: _sales(cold_home) > before)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=60)
        assert demo.returncode == 0
    assert cold_home.status()["rows_loaded"] > before
    assert _named(str(cold_home.path)) == []


def _sales(home) -> int:
    """Asked of the running database: each `t3 status` would take seconds."""
    url = json.loads((home.path / "services.json").read_text())["database_url"]
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core.sale")
        return cursor.fetchone()[0]


def _named(text: str) -> list[list[str]]:
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(text in word for word in line)]
