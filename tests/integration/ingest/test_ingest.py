"""From files in a bucket to figures, through the notebooks, as people run it."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from t3lib.simulate import simulate
from tests.integration.conftest import Home

pytestmark = pytest.mark.slow

REAL = {"rows_read": 395, "rows_loaded": 395, "rows_rejected": 0, "pence_loaded": 269_781}


def status(home: Home) -> dict:
    return json.loads(home.forked("status", "--json").stdout)


def figures(found: dict) -> dict:
    return {name: found[name] for name in REAL}


def test_the_real_feed_is_loaded_to_the_penny_and_once(home, shared_feed):
    bucket = {"T3_LANDING_URL": shared_feed.as_uri()}
    first = home.t3("ingest", **bucket)
    assert (first.returncode, first.stderr.count("Traceback")) == (0, 0), first.stderr
    before = status(home)
    assert figures(before) == REAL
    again = home.t3("ingest", **bucket)
    assert "Nothing new." in again.stderr
    assert status(home) == before
    doctor = home.forked("doctor", "--json", **bucket)
    assert (doctor.returncode, json.loads(doctor.stdout)["ok"]) == (0, True), doctor.stdout


def test_the_real_feed_over_s3_gives_the_same(own_home, shared_feed):
    shutil.copytree(shared_feed, own_home.path / "s3" / "landing", dirs_exist_ok=True)
    assert own_home.forked("ingest").returncode == 0
    found = status(own_home)
    assert (figures(found), found["files"]) == (REAL, {"ignored": 1, "loaded": 16})


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> tuple[Path, dict]:
    """Two weeks of a made-up fleet in a folder, ingested, and its truth."""
    folder = tmp_path_factory.mktemp("fleet")
    truth = folder / "truth.json"
    simulate(folder / "bucket", days=14, end=date(2026, 11, 15), seed=3, truth=truth)
    return folder / "bucket", json.loads(truth.read_text())


def test_a_made_up_fleet_equals_its_truth_to_the_row_and_the_penny(fleet, own_home):
    bucket, truth = fleet
    assert own_home.forked("ingest", T3_LANDING_URL=bucket.as_uri()).returncode == 0
    found = status(own_home)
    assert figures(found) == {name: truth[name] for name in REAL}
    assert found["rejected"] == truth["rejected"]
    assert found["files"]["held_duplicate"] == truth["files"]["held_duplicate"]
    shutil.rmtree(own_home.path / "outputs")
    assert own_home.forked("ingest", T3_LANDING_URL=bucket.as_uri()).returncode == 0
    assert status(own_home) == found


BAD = {
    "trucks/2026-11/5/12/T3_T1_A1.csv": b"",
    "trucks/2026-11/5/12/T3_T2_A1.csv": b"timestamp,type,total\n",
    "trucks/2026-11/5/12/T3_T3_A1.csv": b"when,how,much\n1,2,3\n",
    "trucks/2026-11/5/12/T3_T999_A1.csv": b"timestamp,type,total\n2026-11-05 10:00:00+00:00,cash,5.00\n",
    "trucks/2026-11/5/12/T3_T4_A1.csv": b"timestamp,type,total\n2026-11-05 10:00:00+00:00,card,7.00\n",
    "historical/TRUCK_DATA_HIST_1.parquet": b"PAR1 and then nothing",
    "metadata/menu.csv": b"menu_item,price\nTaco,7.50\n",
    "readme.txt": b"hello",
}


def test_each_bad_file_says_why_and_the_rest_loads(own_home, tmp_path):
    for key, data in BAD.items():
        path = tmp_path / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert own_home.forked("ingest", T3_LANDING_URL=(tmp_path / "bucket").as_uri()).returncode == 0
    listed = json.loads(own_home.forked("files", "--json").stdout)
    found = {row["key"]: (row["state"], row["reason"]) for row in listed}
    assert {key: state for key, (state, _) in found.items()} == dict(
        zip(BAD, ("unreadable", "loaded", "bad_header", "loaded", "loaded", "unreadable", "bad_header", "ignored"),
            strict=True)
    )  # fmt: skip
    assert all(reason for key, (_, reason) in found.items() if "T999" not in key and "T4" not in key)
    assert "no column TRUCK_ID" in found["metadata/menu.csv"][1]
    assert figures(status(own_home)) == {"rows_read": 2, "rows_loaded": 2, "rows_rejected": 0, "pence_loaded": 1200}
