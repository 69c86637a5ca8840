"""kill -9 while a day is exported: the next export gives the same journal, once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from t3lib import business_day
from t3lib.settings import ROOT
from tests.support.feeding import rows
from tests.support.restating import COSTS, COSTS_CSV, place, sell

DAY = business_day.today() - timedelta(days=3)
FILE = f"journal_{DAY}_xero.csv"
_KILLED = """
import os, signal, sys
import pytest
pytest.MonkeyPatch().setattr(sys.argv[1], lambda *given, **more: os.kill(os.getpid(), signal.SIGKILL))
from scheduler import cli
cli.main(sys.argv[2:])
"""


def export(folder: Path, moment: str = "") -> int:
    """`t3 journal export` of the day, killed at this function; its exit code."""
    program = ["-c", _KILLED, moment] if moment else ["-m", "scheduler.cli"]
    command = [*program, "journal", "export", "--from", str(DAY), "--to", str(DAY), "--layout", "xero",
               "--folder", str(folder)]  # fmt: skip
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=os.environ, timeout=170).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "locked"), [
    ("t3lib.journal.locked.add", 0),  # nothing is locked
    ("t3lib.journal.export.write", 1),  # locked, no file
    ("os.fsync", 1),  # locked, half a file beside its place
])  # fmt: skip
def test_an_export_that_was_killed_repeats_to_the_same_journal_once(
    bucket: Path, database: str, tmp_path: Path, moment: str, locked: int
):
    place(bucket, COSTS_CSV, ",vat,20,percent,2026-01-01", when="2026-01-01 08:00", header=COSTS)
    sell(bucket, DAY, "7")
    assert export(tmp_path / "out", moment) == -signal.SIGKILL
    kept = rows("SELECT content FROM ops.journal")
    assert len(kept) == locked
    assert not (tmp_path / "out" / FILE).exists()
    assert export(tmp_path / "out") == 0
    (journal,) = rows("SELECT content FROM ops.journal")
    assert kept in ([], [journal])
    assert (tmp_path / "out" / FILE).read_bytes() == journal[0].encode()
