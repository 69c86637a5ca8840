"""Logs that are cut while a server writes them."""

import subprocess
import sys
import time

import pytest

from scheduler.embedded import logs
from scheduler.embedded.processes import launch
from tests.support.steps import until

pytestmark = pytest.mark.slow  # it waits until logs have grown

CHATTY = "import sys, time\nfor n in range(100_000):\n    print(n, 'x' * 1000, flush=True)\n    time.sleep(0.0003)"


def test_a_log_is_cut_while_its_server_goes_on_writing(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 200_000)
    monkeypatch.setattr(logs, "CHECK_SECONDS", 0.1)
    log = tmp_path / "logs" / "chatty.log"
    server = launch([sys.executable, "-c", CHATTY], log)
    try:
        until(lambda: (tmp_path / "logs" / "chatty.1.log").exists(), 20)
        written, biggest = int(last(log)), 0
        for _ in range(60):
            biggest = max(biggest, sum(file.stat().st_size for file in log.parent.iterdir()))
            time.sleep(0.05)
        assert int(last(log)) > written + 1000, "it writes on"
        assert biggest < 5 * logs.MAX_BYTES
        assert b"\0" not in log.read_bytes(), "a cut log begins empty"
    finally:
        server.stop()
    assert log.with_suffix(".1.log").stat().st_mode & 0o777 == 0o600


def test_logs_of_servers_that_another_process_started_are_cut_too(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 200_000)
    monkeypatch.setattr(logs, "CHECK_SECONDS", 0.1)
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "chatty.log"
    with log.open("ab") as out, subprocess.Popen([sys.executable, "-c", CHATTY], stdout=out) as other:
        logs.watch(log.parent)
        try:
            until(lambda: log.with_suffix(".1.log").exists(), 20)
        finally:
            other.kill()
    assert log.stat().st_size < 5 * logs.MAX_BYTES


def test_of_two_processes_only_one_cuts(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(logs, "MAX_BYTES", 100)
    log = tmp_path / "a.log"
    log.write_bytes(b"line\n" * 100)
    with log.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="unavailable"):
            logs.rotate(log)
    assert log.stat().st_size == 500
    logs.rotate(log)
    assert (log.stat().st_size, log.with_suffix(".1.log").stat().st_size) == (0, 100)


def last(log) -> str:
    """The number of the last whole line of either file."""
    lines = [*log.with_suffix(".1.log").read_text().splitlines(), *log.read_text().splitlines()]
    return [line.split()[0] for line in lines if len(line) > 1000][-1]
