"""The README's first command, in short: everything from the bucket to the mail and the dashboard."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

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
    before = cold_home.status()["rows_loaded"]
    with subprocess.Popen([sys.executable, "-m", "scheduler.cli", "demo"], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:  # fmt: skip
        printed = next(line for line in demo.stdout if "dashboard " in line)
        assert "http://127.0.0.1:" in printed
        deadline = time.monotonic() + 90
        while cold_home.status()["rows_loaded"] <= before and time.monotonic() < deadline:
            time.sleep(1)
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
        assert demo.returncode == 0
    assert cold_home.status()["rows_loaded"] > before
    assert _named(str(cold_home.path)) == []


def _named(text: str) -> list[list[str]]:
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(text in word for word in line)]
