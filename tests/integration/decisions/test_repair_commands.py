"""Repairs, traces and reprocessing as people run them."""

import json
from pathlib import Path

import pytest

from t3lib.cleaning import Rulebook
from tests.integration.conftest import Home
from tests.support.feeding import LUNCH, at, put

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def commands(home: Home, tmp_path_factory: pytest.TempPathFactory) -> "Commands":
    """A home with one file loaded: a sale, a lost point, a void."""
    bucket = tmp_path_factory.mktemp("bucket")
    put(bucket, "metadata/menu.csv", "3,Burrito,Mexican,4.99", header="truck_id,menu_item,menu_type,price")
    put(bucket, LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"), at("12:02", "cash", "VOID"))
    made = Commands(home, bucket)
    assert made.t3("ingest").returncode == 0
    return made


class Commands:
    """The command on one landing folder."""

    def __init__(self, home: Home, bucket: Path):
        self.home, self.bucket = home, bucket

    def t3(self, *arguments: str):
        return self.home.forked(*arguments, T3_LANDING_URL=self.bucket.as_uri())

    def json(self, *arguments: str):
        done = self.t3(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def test_a_reject_is_found_repaired_traced_and_taken_back(commands: Commands):
    (row,) = commands.json("rejects", "list", "--reason", "decimal_shift")
    line = (str(row["file_id"]), str(row["row_number"]))
    refused = commands.t3("rejects", "repair", *line, "--why", "x")
    assert (refused.returncode, "--accept" in refused.stderr) == (1, True)
    assert commands.t3("rejects", "repair", *line, "--accept", "--why", "Lost point", "--by", "Ann").returncode == 0
    found = commands.json("trace", "--truck", "3", "--date", "2026-11-05", "--hour", "12")
    assert found["figure"] == {"transactions": 2, "pence": 998}
    assert [(sale["raw"]["total"], sale["decision"]) for sale in found["sales"]] == [
        ("4.99", None),
        ("499", "repaired"),
    ]
    assert [run["notebook"] for run in found["runs"]] == ["1_extract", "2_clean", "3_load"]
    shown = commands.json("rejects", "show", *line)
    assert [(decision["action"], decision["actor"]) for decision in shown["decisions"]] == [("repair", "Ann")]
    assert commands.t3("rejects", "undo", *line, "--why", "Wrong row").returncode == 0
    assert commands.json("status")["pence_loaded"] == 499


def test_a_trace_shows_the_text_of_the_rules_that_decided(commands: Commands):
    shown = commands.t3("trace", "--truck", "3", "--date", "2026-11-05").stdout
    cells = Rulebook.of_folder().cells
    (void,) = (cell for cell in cells if '"void"' in cell)
    of = f"(1 row; rules {Rulebook.of_folder().hash})"
    assert f"rejected: void {of}. The sale was voided on the till.\n    {void}\n" in shown
    assert f"payment read as card {of}\n    {cells[0]}\n" in shown
    whole = commands.t3("trace", "--truck", "3", "--date", "2026-11-05", "--rules").stdout
    assert [cell for cell in cells if "    " + "\n    ".join(cell.splitlines()) not in whole] == []
    found = commands.json("trace", "--truck", "3", "--date", "2026-11-05", "--rules")
    assert found["rulesets"] == {Rulebook.of_folder().hash: list(cells)}
    under = {run["notebook"]: run["ruleset"] for run in found["runs"]}
    assert under == {"1_extract": None} | dict.fromkeys(("2_clean", "3_load"), Rulebook.of_folder().hash)


def test_days_are_reprocessed_through_the_notebooks(commands: Commands):
    done = commands.json("ingest", "--reprocess", "2026-11-05")
    assert [(file["key"], file["outcome"]) for file in done["files"]] == [(LUNCH, "unchanged")]
    assert (done["changes"], done["failed"]) == ([], [])


def test_the_old_name_of_reprocess_does_the_same_and_says_the_new_one(commands: Commands):
    done = commands.t3("ingest", "--again", "2026-11-05", "--json")
    assert done.returncode == 0, done.stderr
    assert [line[:35] for line in done.stderr.splitlines()] == ["t3: --again is now --reprocess; the"]
    assert [(file["key"], file["outcome"]) for file in json.loads(done.stdout)["files"]] == [(LUNCH, "unchanged")]


def test_a_file_is_held_and_released(commands: Commands):
    assert commands.t3("files", "hold", LUNCH, "--why", "A test of the till").returncode == 0
    assert commands.json("status")["rows_loaded"] == 0
    assert commands.t3("files", "release", LUNCH, "--why", "It was none").returncode == 0
    assert commands.t3("ingest").returncode == 0
    assert commands.json("status")["rows_loaded"] == 1
    assert commands.t3("doctor").returncode == 0
