"""The last commit before every module moved works in its own tree and schema; today's code goes on with its work and
reproduces its runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from scheduler.queue import workflows
from scheduler.runs import reproduction
from t3lib import warehouse
from t3lib.problems import RefusedError
from t3lib.settings import ROOT, settings
from tests.clusters import own_database
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows

pytestmark = pytest.mark.slow  # it runs whole pipelines

BEFORE_THE_MOVE = "891224cead27150baf68f229f22ff73065065047"
# It takes lunch in, and is killed as it begins to load the evening.
WORK = """
import os, pathlib, sys
from scheduler import stages
from scheduler.commands.ingesting import ingest
from t3lib import warehouse
warehouse.upgrade()
ingest()
waiting, place = map(pathlib.Path, sys.argv[1:])
place.parent.mkdir()
waiting.rename(place)
run_stage = stages.run_stage
def run_or_die(batch_id, stage, **options):
    stage == "3_load" and os.kill(os.getpid(), 9)
    run_stage(batch_id, stage, **options)
stages.run_stage = run_or_die
ingest()
"""
EVENING = LUNCH.replace("/15/", "/18/")
STEPS = """
    SELECT function_name, status FROM dbos.operation_outputs JOIN dbos.workflow_status USING (workflow_uuid)
    WHERE workflow_uuid = :id ORDER BY function_id
"""


def git(repository: Path, *arguments: str) -> str:
    """What git prints; it must succeed."""
    command = ["git", "-C", str(repository), "-c", "user.name=Ann", "-c", "user.email=ann@t3.example", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's history in a clone of its own."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no checkout")
    if subprocess.run(["git", "-C", ROOT, "cat-file", "-e", BEFORE_THE_MOVE], capture_output=True).returncode:
        if git(ROOT, "rev-parse", "--is-shallow-repository") == "true":
            pytest.fail(f"This clone is shallow and lacks {BEFORE_THE_MOVE[:12]}: run `git fetch --unshallow`.")
        pytest.skip(f"This repository's history has no commit {BEFORE_THE_MOVE[:12]}: it begins later.")
    place = tmp_path_factory.mktemp("history") / "clone"
    git(ROOT, "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(place))
    return place


@pytest.fixture(scope="module")
def old_tree(clone: Path) -> Path:
    """A checkout of that commit."""
    git(clone, "worktree", "add", "--quiet", "--detach", str(clone.parent / "old"), BEFORE_THE_MOVE)
    return clone.parent / "old"


@pytest.fixture(scope="module")
def left_by_it(old_tree: Path, postgres: str) -> Iterator[dict[str, str]]:
    """What the old code left in a database that it made, which was upgraded since, and in a bucket: a lunch with one
    sale of £8.70 and one void row that it loaded, and an evening that it cleaned. The variables that name them."""
    folder = old_tree.parent
    for name in ("bucket", "archive"):
        (folder / name).mkdir()
    put(folder / "bucket", LUNCH, at("12:00", "card", "8.70"), at("12:01", "cash", "VOID"))
    put(folder, "evening", at("15:00", "card", "4.00"))
    with own_database(postgres, "template0") as url:
        variables = {"T3_DATABASE_URL": url, "T3_LANDING_URL": (folder / "bucket").as_uri(),
                     "T3_ARCHIVE_URL": (folder / "archive").as_uri(), "T3_SMTP_URL": "smtp://127.0.0.1:1",
                     "T3_OUTPUTS": str(folder / "outputs"), "T3_HOME": str(folder / "home")}  # fmt: skip
        env = {name: value for name, value in os.environ.items() if not name.startswith("T3_")} | variables
        command = [sys.executable, "-P", "-c", WORK, str(folder / "evening"), str(folder / "bucket" / EVENING)]
        done = subprocess.run(command, env=env | {"PYTHONPATH": str(old_tree)}, cwd=old_tree)
        assert done.returncode == -signal.SIGKILL
        warehouse.upgrade(url)
        yield variables


@pytest.fixture
def upgraded(left_by_it: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's code, with that database and bucket."""
    for name, value in left_by_it.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def test_a_batch_that_the_old_code_began_ends_under_todays_and_no_step_is_repeated(upgraded):
    ((begun, executor),) = rows("SELECT workflow_uuid, executor_id FROM dbos.workflow_status WHERE status = 'PENDING'")
    assert rows("SELECT count(*) FROM core.sale") == [(1,)]
    with workflows.working(name=executor.rpartition("-")[0]):
        workflows.wait(begun)
    assert rows(STEPS, id=begun) == [(name, "SUCCESS") for name in ("_stage", "_stage", "_stage", "_finish_batch")]
    assert rows("SELECT count(*), sum(total_pence) FROM core.sale") == [(2, 1270)]
    assert rows("SELECT DISTINCT state FROM ops.batch") == [("done",)]
    made = rows("SELECT notebook, git_commit LIKE :old FROM ops.run WHERE state = 'succeeded' ORDER BY started_at DESC",
                old=f"{BEFORE_THE_MOVE[:12]}%")  # fmt: skip
    # The old 2_clean staged no rules, so the batch was cleaned under today's.
    assert made[:4] == [("3_load", False), ("2_clean", False), ("2_clean", True), ("1_extract", True)]
    assert_reconciles()


def commit_other_notebook(tree: Path) -> str:
    """Commit an old 2_clean that records no rejected rows; returns the commit."""
    path = tree / "notebooks" / "2_clean.ipynb"
    notebook = nbformat.read(path, 4)
    cell = next(cell for cell in notebook.cells if "rejects=cleaned.rejects.num_rows" in cell.source)
    cell.source = cell.source.replace("rejects=cleaned.rejects.num_rows", "rejects=0")
    nbformat.write(notebook, path)
    git(tree, "commit", "--quiet", "--all", "--message", "Count no rejects")
    return git(tree, "rev-parse", "--short=12", "HEAD")


def test_a_run_of_the_old_code_gives_the_same_figures_and_a_change_is_found(clone, old_tree, upgraded, monkeypatch):
    monkeypatch.setattr(reproduction, "ROOT", clone)
    oldest = (
        "SELECT DISTINCT ON (notebook) notebook, run_id FROM ops.run WHERE git_commit = :commit ORDER BY 1, started_at"
    )
    old_runs = dict(rows(oldest, commit=BEFORE_THE_MOVE[:12]))
    assert not (old_tree / reproduction.PROGRAM.relative_to(ROOT)).exists()
    found = reproduction.reproduce(old_runs["3_load"])
    assert found.then == found.now == {"rows": 1, "rejects": 1, "sales": "£8.70"}
    assert (found.differing, found.missing) == ([], [])

    rows("UPDATE ops.run SET git_commit = :other RETURNING 1", other=commit_other_notebook(old_tree))
    found = reproduction.reproduce(old_runs["2_clean"])
    assert found.then == {"rows": 2, "sales": 1, "rejects": 1}
    assert found.differing == ["rejects"]

    put(Path(settings().need("landing_url").removeprefix("file://")), LUNCH, at("12:00", "card", "9.70"))
    with pytest.raises(RefusedError, match="no longer holds a version"):
        reproduction.reproduce(old_runs["3_load"])
