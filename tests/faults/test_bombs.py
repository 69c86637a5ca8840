"""Small files that unpack to gigabytes are refused, or cut, within bounded memory."""

import json
import subprocess
import sys

import pytest

from t3lib.settings import ROOT
from tests.faults.injection.bombs import BOMBS, FAR_ROWS

MOST_MB = 1200  # a worker has 1.5 GB
# A tenth of the rows that a sheet may have: a tenth of that, beside what the program takes.
FEWER_ROWS_MB = 200


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_read_within_bounds(tmp_path, bomb):
    name, data = BOMBS[bomb]()
    path = tmp_path / "bomb"
    path.write_bytes(data)
    command = [sys.executable, "-m", "tests.faults.injection.bombs", name, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(bomb, found)
    fewer = bomb == "a cell at the far right of each row" and FAR_ROWS < 1_000_000
    assert found["peak_mb"] < (FEWER_ROWS_MB if fewer else MOST_MB)
    assert found["said"].startswith("loaded") or found["said"].endswith(".")
