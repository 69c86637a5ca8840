"""What `t3 promote` says of a figure that it cannot promote, before anything is made."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from scheduler import promotion
from scheduler.cli import app
from scheduler.promotion import branch, checking, figure, shape
from scheduler.promotion.edits import Edits
from t3lib.problems import RefusedError, WrongUseError
from t3lib.settings import ROOT

IMPORTS = "import os\nimport pandas as pd\nimport sqlalchemy as sa\nfrom t3lib import metrics, warehouse"
NEW_KPI = ROOT / "notebooks" / "explore" / "new_kpi.ipynb"
GOOD = '''def busy(db: sa.Connection, scope: metrics.Scope) -> pd.DataFrame:
    """One row per truck: truck_id, truck and busy_pct.

    busy_pct: Busy
        Share of the fleet's
        transactions.
        Formula: transactions / all transactions
        Unit: percent
        Source: mart.sales_hourly
    """
    found = metrics.by_truck(db, scope)  # one row per truck
    return found.assign(busy_pct=100 * found["transactions"] / found["transactions"].sum())
'''
GIVEN = {"columns": ["truck_id", "truck", "busy_pct"], "columns_of_nothing": ["truck_id", "truck", "busy_pct"],
         "kinds": {"busy_pct": "float64"}, "records": [{"truck_id": 1}, {"truck_id": 6}],
         "sql": "SELECT FROM mart.sales_hourly"}  # fmt: skip


def read(folder: Path, *cells: str, name: str = "busy") -> figure.Figure:
    path = folder / "idea.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in (IMPORTS, *cells)]), path)
    return figure.read(path, name)


def refusal(folder: Path, *cells: str) -> str:
    with pytest.raises(RefusedError) as refused:
        read(folder, *cells)
    return str(refused.value)


def test_a_function_is_taken_as_it_stands_with_what_it_needs(tmp_path):
    found = read(tmp_path, "%time 1", GOOD)
    assert found.source == GOOD.strip()
    assert found.imports == ["from t3lib import metrics", "import pandas as pd", "import sqlalchemy as sa"]
    assert found.made_of == ["by_truck"]
    assert found.prose == "One row per truck: truck_id, truck and busy_pct."
    (entry,) = found.entries
    assert (entry.field, entry.name, entry.unit) == ("busy_pct", "Busy", "percent")
    assert entry.definition == "Share of the fleet's transactions."
    assert found.with_docstring("One row per truck.").splitlines()[1:4] == [
        '    """One row per truck.',
        '    """',
        "    found = metrics.by_truck(db, scope)  # one row per truck",
    ]


def test_a_figure_that_is_not_there_or_there_twice_is_refused(tmp_path):
    assert refusal(tmp_path, "1 + 1") == (
        "idea.ipynb has no function busy. It defines none: write `def NAME(db, scope):` in a cell."
    )
    assert refusal(tmp_path, GOOD.replace("busy(", "calm(")) == "idea.ipynb has no function busy. It defines calm."
    assert refusal(tmp_path, GOOD, GOOD) == "idea.ipynb defines busy 2 times: leave one."
    assert refusal(tmp_path, "a = 1\ndef busy(:") == "The cell of busy is not valid Python (its line 2)."


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("db: sa.Connection, scope", "scope", "takes (scope): write (db: sa.Connection, scope: metrics.Scope)"),
        ("db: sa.Connection", "db", "has no types: write (db: sa.Connection, scope: metrics.Scope) -> pd.DataFrame"),
        ("by_truck(db", "by_lorry(db", "uses metrics.by_lorry, which does not exist"),
        ("by_truck(db, scope)", "frame('by_truck', scope)", "calls metrics.frame, which is for notebooks"),
        ("metrics.by_truck(db, scope)", "pd.read_sql('SELECT 1', db)", "asks the database itself: db may only be"),
        ("by_truck(db, scope)", "by_truck(db, scope).to_csv('a')", "calls to_csv: a figure reads and writes no files"),
        ("metrics.by_truck(db, scope)", "hours", "uses `hours`, which other cells define"),
        ("metrics.by_truck(db, scope)", "open('a')", "calls open(): a figure only computes"),
        ("metrics.by_truck(db, scope)", "os.environ", "uses os: a figure may use t3lib.metrics, pandas,"),
        ("metrics.by_truck(db, scope)", "warehouse.connect()", "uses t3lib.warehouse: a figure may use"),
        ("found = ", "import os\n    found = ", "uses os: a figure may use"),
        ("100 *", "pd.Timestamp.now().day *", "calls now: a figure depends on its scope, not on the clock"),
        ("100 *", "pd.Timestamp('now').day *", 'has the text "now", which pandas reads as the present time: a figure'),
        ("100 *", "pd.Timestamp('12:00').day *", 'reads a time from "12:00", which has no year: a figure depends on'),
        ("    found", "    found = 1\n" * 31 + "    found", "has more than 30 lines: make it of smaller metrics"),
    ],
)
def test_what_a_figure_may_not_use_is_named(tmp_path, old, new, words):
    assert f"busy {words}" in refusal(tmp_path, "hours = 3", GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("One row per truck", "The trucks", "does not begin with what a row is, such as `One row per truck: truck_id"),
        ("        Unit: percent\n", "", "The docstring says no Unit of busy_pct. It is written so:\npeak_share_pct:"),
        ("Unit: percent", "Unit: pence", "busy_pct is in pence: what is in pence ends in _pence"),
        ("transactions.\n", "transactions\n", "The definition of busy_pct is not a sentence"),
    ],
)
def test_a_docstring_that_defines_too_little_is_refused_with_a_form(tmp_path, old, new, words):
    assert words in refusal(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"error": "raises KeyError: 'van'"}, "busy raises KeyError: 'van' on the example fleet (tests/integration/"),
        ({"records": [{"truck_id": 1}] * 2}, "says one row per truck_id, but has 2 rows for 1 of them"),
        ({"records": []}, "gives no row for the example fleet"),
        ({"columns_of_nothing": ["truck"]}, "has other columns on days without a sale: truck"),
        ({"columns": ["truck", "busy_pct"], "records": [{"truck": "a"}]}, "has other columns on days"),
        ({"columns": ["busy_pct"]}, "has no column truck_id, by which its rows differ"),
        ({"columns": [*GIVEN["columns"], "van"]}, "gives van, which its docstring does not name"),
        ({"columns": ["truck_id", "truck"]}, "does not give busy_pct, which its docstring defines"),
        ({"kinds": {"a_pence": "float64"}}, "gives a_pence as float64: pence are whole numbers"),
        ({"sql": "SELECT FROM core.sale"}, "names mart.sales_hourly as the source of busy_pct, but reads core.sale"),
    ],
)
def test_a_table_that_is_not_what_the_docstring_says_is_refused(tmp_path, given, words):
    found = read(tmp_path, GOOD)
    shape.require(found, GIVEN)
    with pytest.raises(RefusedError) as refused:
        shape.require(found, GIVEN | given)
    assert words in str(refused.value)


def test_a_column_that_is_defined_already_or_not_at_all_is_refused(tmp_path):
    known = read(tmp_path, GOOD.replace("busy_pct", "share_pct"))
    given = {"columns": ["truck_id", "share_pct"], "columns_of_nothing": ["truck_id", "share_pct"], "kinds": {}}
    with pytest.raises(RefusedError, match=r"defines share_pct, which docs/kpis.md defines already"):
        shape.require(known, GIVEN | given)
    new = read(tmp_path, GOOD.replace("busy_pct.", "busy_pct and calm_pct."))
    with pytest.raises(RefusedError, match=r"gives calm_pct, not defined in docs/kpis.md. Define it"):
        shape.require(new, GIVEN | {"columns": [*GIVEN["columns"], "calm_pct"]})


def test_rows_are_told_apart_by_the_words_of_the_docstring(tmp_path):
    for words, columns in (("truck and local hour with a sale, the best first", ["truck_id", "local_hour"]),
                           ("place, menu type and\n    business day", ["location_id", "menu_type", "business_date"]),
                           ("weekday that had a sale", ["weekday"])):  # fmt: skip
        found = read(tmp_path, GOOD.replace("One row per truck", f"One row per {words}"))
        assert shape.keys(found, columns) == columns
    with pytest.raises(RefusedError, match="`One row per driver` is unknown: a row is per truck, place,"):
        shape.keys(read(tmp_path, GOOD.replace("per truck", "per driver")), [])


def test_tab_room_and_name_are_checked_first(tmp_path):
    with pytest.raises(WrongUseError, match=r"no tab profit with cards: choose money \(Money\), pack \(Month pack\)"):
        promotion.promote(NEW_KPI, "best_hour", "profit")
    with pytest.raises(WrongUseError, match=r"no room attic in t3lib.metrics: choose sales, money, demand, trust"):
        promotion.promote(NEW_KPI, "best_hour", "money", "attic")
    read(tmp_path, GOOD.replace("busy(", "by_truck("), name="by_truck")
    with pytest.raises(RefusedError, match=r"a by_truck in t3lib.metrics already \(t3lib.metrics.sales.totals\)"):
        promotion.promote(tmp_path / "idea.ipynb", "by_truck", "money")


def test_the_command_says_in_words_what_is_wrong(tmp_path):
    read(tmp_path, GOOD)
    for words, code, said in ((("--figure", "van", "--tab", "money"), 1, "idea.ipynb has no function van. It defines"),
                              (("--figure", "busy", "--tab", "profit"), 2, "There is no tab profit with cards"),
                              (("--tab", "money"), 2, "Missing option '--figure'")):  # fmt: skip
        done = CliRunner().invoke(app, ["promote", str(tmp_path / "idea.ipynb"), *words], env={"COLUMNS": "200"})
        assert (done.exit_code, said in done.output) == (code, True), done.output


def test_a_full_room_is_refused_with_those_that_have_space(tmp_path, monkeypatch):
    monkeypatch.setattr(promotion, "MOST_MODULES", 6)
    read(tmp_path, GOOD)
    said = r"t3lib/metrics/sales has 1\d modules already: choose --room [a-z, ]*demand"
    with pytest.raises(RefusedError, match=said):
        promotion.promote(tmp_path / "idea.ipynb", "busy", "money")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with docs/kpis.md."""
    monkeypatch.setattr(branch, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "kpis.md").write_text("# Figures\n")
    for words in (["init", "--quiet"], ["config", "user.name", "Ann"], ["config", "user.email", "ann@t3.example"],
                  ["add", "."], ["commit", "--quiet", "-m", "a"]):  # fmt: skip
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    return tmp_path


def test_a_branch_leaves_the_files_of_the_checkout_alone(checkout):
    (checkout / "README.md").write_text("being written")
    branch.require_free("figure-busy", ["docs/kpis.md"])
    with branch.new_branch("figure-busy") as folder:
        (folder / "tree" / "docs" / "kpis.md").write_text("# Figures\nBusy\n")
        commit = branch.commit(folder / "tree", ["docs/kpis.md"], "Add busy")
    assert branch.git(checkout, "rev-parse", "--short", "figure-busy") == commit
    assert branch.git(checkout, "status", "--porcelain") == "?? README.md"
    assert (checkout / "docs" / "kpis.md").read_text() == "# Figures\n"
    assert not folder.exists()
    with pytest.raises(RefusedError, match=r"a branch figure-busy already: remove it \(`git branch -D figure-busy`\)"):
        branch.require_free("figure-busy", [])


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no checkout to make a branch of")
def test_the_whole_branch_is_checked_and_each_step_is_told(monkeypatch):
    """What the figure does not touch counts too: here a notebook that breaks the contract."""
    monkeypatch.setenv("SKIP", "mypy,ruff,format")  # hooks that find nothing in it, and take long
    said: list[str] = []
    commands = {"the files of the branch": checking.whole_branch(), "git": ["git", "status"]}
    failed = pytest.raises(
        RefusedError, match=r"as shown above: the files of the branch\. Correct that in the notebook"
    )
    with failed, branch.new_branch("figure-of-a-test") as folder:
        (folder / "tree" / ".venv").symlink_to(sys.prefix)
        notebook = folder / "tree" / "notebooks" / "explore" / "first_look.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell("1")]), notebook)
        checking.run(commands, folder / "tree", said.append)
    assert any(re.fullmatch(r"Passed after \d+ s: git", line) for line in said)
    assert any(re.fullmatch(r"Failed after \d+ s: the files of the branch", line) for line in said)
    assert re.search(r"first_look\.ipynb.*parameters", " ".join(said))


def test_the_tests_of_a_figure_are_there():
    for paths in checking.tests("busy", "tests/unit/project/test_promotion.py").values():
        for path in paths:
            file, _, function = path.partition("::")
            assert f"def {function.partition('[')[0]}" in (ROOT / file).read_text()


def test_nothing_is_left_of_a_branch_that_fails(checkout):
    with pytest.raises(RefusedError, match="no"), branch.new_branch("figure-busy") as folder:
        raise RefusedError("no")
    assert branch.git(checkout, "branch", "--list", "figure-busy") == ""
    assert len(branch.git(checkout, "worktree", "list").splitlines()) == 1
    assert not folder.exists()


def test_changes_that_are_not_committed_in_a_file_to_write_are_refused(checkout):
    (checkout / "docs" / "kpis.md").write_text("# Other figures\n")
    with pytest.raises(RefusedError, match=r"docs/kpis.md would be written .* but has changes here: commit or stash"):
        branch.require_free("figure-busy", ["docs/kpis.md"])


def test_an_item_is_added_to_the_last_list_or_to_the_named_one(tmp_path):
    edits = Edits(tmp_path, read(tmp_path, GOOD), "sales", "money", "idea.ipynb")
    (tmp_path / "a.py").write_text("FIRST = ()\nSECOND: list[str] = [\n    'é',\n]  # last\n")
    edits._append("a.py", "FIRST", "1")
    edits._append("a.py", "", "'b'")
    names: dict = {}
    exec((tmp_path / "a.py").read_text(), names)
    assert (names["FIRST"], names["SECOND"]) == ((1,), ["é", "b"])
