"""The README's first command, in short: everything from the bucket to the mail and the dashboard."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing

import psutil
import psycopg2
import pytest

from tests.support.steps import until

pytestmark = pytest.mark.slow


def test_the_demo_equals_the_truth_and_its_second_start_changes_nothing(cold_home):
    first = cold_home.t3("demo", "--once")
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    truth = json.loads((cold_home.path / "demo-truth.json").read_text())
    sums = {name: truth[name] for name in ("rows_read", "rows_loaded", "rows_rejected", "pence_loaded")}
    assert {name: summary[name] for name in sums} == sums
    assert (summary["mails_sent"], summary["dashboard_status"]) == (2, 200)
    assert set(summary) == {*sums, "mails_sent", "dashboard_status", "seconds"}
    again = json.loads(cold_home.t3("demo", "--once").stdout)
    assert {**again, "seconds": 0} == {**summary, "seconds": 0}
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
