"""A past run, run again under its commit on the versions that it saw."""

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from scheduler.embedded.home import scratch_folder
from scheduler.queue.stages import INGEST
from scheduler.runs import reproduction
from scheduler.runs.runner import run_notebook
from t3lib import record, warehouse
from t3lib.cleaning import Rulebook
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.metrics.money.margins import contributions
from t3lib.problems import RefusedError
from t3lib.settings import ROOT
from t3lib.warehouse.files import batches
from t3lib.warehouse.load import applying
from tests.support.feeding import LUNCH, at, put, rows, take_in
from tests.support.restating import COSTS, COSTS_CSV, MENU_CSV, THURSDAY, UNIT_COSTS, place, sell

pytestmark = pytest.mark.slow  # it runs whole pipelines

EVENING = "trucks/2026-11/5/18/T3_T3_B2.csv"


@pytest.fixture
def loading(bucket: Path) -> str:
    """The run that loaded the evening: two sales of £0.50 and one row that was £50.00 without its point, as the lunch
    before it says."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no checkout")
    put(bucket, LUNCH, *[at("12:00", "card", "0.50")] * 20)
    take_in()
    put(bucket, EVENING, at("15:00", "card", "0.50"), at("15:01", "card", "0.50"), at("15:02", "card", "50"))
    discover(Landing(), sweep=True)
    ((batch_id,),) = rows("SELECT batch_id FROM ops.batch WHERE state = 'open'")
    *_, last = [run_notebook(stage, {"batch_id": batch_id}) for stage in INGEST]
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    return last.run_id


@pytest.mark.slow
def test_a_run_gives_the_same_figures_and_a_changed_one_is_named(loading):
    ((copy,),) = rows("SELECT executed_copy FROM ops.run WHERE run_id = :run", run=loading)
    before = rows("SELECT version FROM mart.watermark")
    found = reproduction.reproduce(loading)
    rules = Rulebook.of_folder().hash[:12]
    assert found.then == found.now == {"rows": 2, "rejects": 1, "sales": "£1.00", "rules": rules}
    assert (found.differing, found.missing) == ([], [])
    assert rows("SELECT version FROM mart.watermark") == before
    assert "t3-run-" not in subprocess.check_output(["git", "-C", ROOT, "worktree", "list"], text=True)
    found.now["rows"] = 3
    assert found.differing == ["rows"]
    assert reproduction.latest()[0]["run_id"] == loading
    assert Path(copy).name == "3_load.ipynb"


def test_a_report_after_a_menu_was_applied_to_the_past_gives_the_same_contribution(bucket):
    if not (ROOT / ".git").exists():
        pytest.skip("there is no checkout")
    place(bucket, COSTS_CSV, ",vat,0,percent,2026-11-01", when="2026-11-01 08:00", header=COSTS)
    dated = ("1,Taco,Mexican,5.00,1.00,", "1,Burrito,Mexican,7.00,3.00,2026-11-06")
    place(bucket, MENU_CSV, *dated, when="2026-11-01 08:00", header=f"{UNIT_COSTS},from")
    sell(bucket, THURSDAY, "7", "7")
    with warehouse.connect() as db:
        applying.apply(db, "menu", THURSDAY, contributions, actor="Ann", why="It was sold on Thursday, too.")
    made = run_notebook("4_report", {"business_date": "2026-11-05", "edition": "cfo"}, role="report")
    found = reproduction.reproduce(made.run_id)
    assert found.then["contribution_pence"] == 800
    assert (found.differing, found.missing) == ([], [])


def commit(repository: Path) -> str:
    """Commit everything in a folder, which becomes a repository; returns the commit."""
    git = ["git", "-C", str(repository), "-c", "user.name=Ann", "-c", "user.email=ann@t3.example"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Some work"]):
        subprocess.run([*git, *arguments], check=True)
    return subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()


def test_a_commit_is_replayed_by_its_own_program_and_without_one_by_the_next(tmp_path, monkeypatch):
    repository = tmp_path / "repository"
    first, second = (repository.joinpath("scheduler", *place, "replay.py") for place in reproduction._FOLDERS[::-1])
    monkeypatch.setattr(reproduction, "ROOT", repository)
    commits, programs = [], {"none": None, "first": first, "second": second}
    for text, program in programs.items():
        shutil.rmtree(repository / "scheduler", ignore_errors=True)
        (program or repository / "README.md").parent.mkdir(parents=True)
        (program or repository / "README.md").write_text(text)
        commits.append(commit(repository))
    for made, text in zip(commits, ("first", "first", "second"), strict=True):
        with scratch_folder("t3-run-") as folder, reproduction._worktree(folder / "tree", made):
            assert reproduction._program(folder, made).read_text() == text
    subprocess.run(["git", "-C", repository, "checkout", "--quiet", commits[0]], check=True)
    with scratch_folder("t3-run-") as folder, reproduction._worktree(folder / "tree", commits[0]):
        assert reproduction._program(folder, commits[0]) == reproduction.PROGRAM


def test_the_answer_of_a_replay_is_json_and_was_a_bare_path():
    for answer in ('{"executed_copy": "/a/3_load.ipynb", "more": 1}', "/a/3_load.ipynb"):
        assert reproduction._executed_copy(f"Something else.\n{answer}\n") == Path("/a/3_load.ipynb")


def test_packages_other_than_the_commits_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(reproduction, "ROOT", tmp_path)
    assert reproduction._other_packages(tmp_path / "tree") == []
    (tmp_path / "requirements.lock").write_text("pandas==3.0.0")
    assert reproduction._other_packages(tmp_path / "tree") == [reproduction.OTHER_PACKAGES]


def test_a_notebook_that_was_not_committed_is_refused(loading):
    rows("UPDATE ops.run SET notebook = '3_other' RETURNING 1")
    with pytest.raises(RefusedError, match="has no notebook 3_other"):
        reproduction.reproduce(loading)


def test_a_deleted_version_is_named(loading, bucket):
    put(bucket, EVENING, at("15:00", "card", "7"))
    with pytest.raises(RefusedError, match=f"no longer holds a version that run {loading} read: {EVENING}"):
        reproduction.reproduce(loading)


def test_unknown_runs_and_unknown_commits_are_refused(loading):
    with pytest.raises(RefusedError, match="There is no finished run 3-none"):
        reproduction.reproduce("3-none")
    rows("UPDATE ops.run SET git_commit = 'abcdef123456' RETURNING 1")
    with pytest.raises(RefusedError, match="does not have the commit abcdef123456: fetch it"):
        reproduction.reproduce(loading)


def test_the_figures_of_a_copy_are_what_it_records(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[
        nbformat.v4.new_output("display_data", data={record.RECORD: {"rows": 2}}),
        nbformat.v4.new_output("display_data", data={
            reproduction.REPORT: {"headline": {"gross_sales_pence": 7}, "csv": {"t3.csv": "a"}, "subject": "x"}}),
    ])])  # fmt: skip
    nbformat.write(notebook, tmp_path / "copy.ipynb")
    assert reproduction.figures(tmp_path / "copy.ipynb") == {"rows": 2, "gross_sales_pence": 7, "t3.csv": "a"}
