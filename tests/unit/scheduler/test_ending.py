"""Ctrl-C at a bad moment."""

import signal
import subprocess
import sys

import pytest

from scheduler.embedded.processes import interrupt_deferred

LOST = """
import os, signal, sys
from scheduler.cli import signals
from scheduler.cli.serving.lifecycle import stopping
from scheduler.embedded.processes import interrupt_deferred

class Thing:
    def __del__(self):
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))

signal.signal(signal.SIGINT, signal.default_int_handler)  # the suite may run in the background, which ignores it
signals.listen()
thing = Thing()
del thing
with stopping() as stop:
    print(stop.is_set())
"""


@pytest.mark.slow  # it starts commands
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_shutdown_requested_while_a_command_starts_is_not_lost(number):
    ended = subprocess.run([sys.executable, "-c", LOST, number], capture_output=True, text=True, timeout=60)
    assert "Exception ignored in" in ended.stderr  # Python's doing
    assert (ended.returncode, ended.stdout) == (0, "True\n")


def test_a_ctrl_c_waits_until_a_started_server_is_remembered():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []

    def start() -> None:
        with interrupt_deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("remembered")

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["remembered"]
