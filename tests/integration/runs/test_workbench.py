"""`t3 run` and what the schedule runs, where they meet kernels and the command line."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from scheduler.cli import app
from scheduler.runs import runner, source
from t3lib import warehouse
from t3lib.cleaning import Rulebook
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS
from tests.support.feeding import LUNCH, at, put, rows, take_in
from tests.support.rulebooks import limit, put_in_force

pytestmark = pytest.mark.slow  # it executes notebooks

COMMITTED = new_notebook(
    cells=[new_code_cell("from t3lib import record\nrecord.show(rows=7)")],
    metadata={"kernelspec": {"name": "t3", "display_name": "T3", "language": "python"}, "t3_source": "as committed"},
)


def t3(*words: str):
    """A command as people type it."""
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


@pytest.fixture
def sold(bucket, monkeypatch):
    """£99.00 and £4.99 at lunch, known to all roles."""
    put(bucket, LUNCH, at("12:00", "card", "99"), at("12:01", "card", "4.99"))
    take_in()
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
    for name, url in roles.urls(settings().need("database_url"), PASSWORDS).items():
        monkeypatch.setenv(f"T3_{name.upper()}", url)
    settings.cache_clear()


def test_the_schedule_runs_what_is_committed_and_keeps_its_commit(database, monkeypatch):
    monkeypatch.setattr(source, "committed", lambda path, **more: source.Source(COMMITTED, "abcdef123456"))
    done = runner.run_notebook("2_clean", {})
    assert done.values == {"rows": 7}
    assert rows("SELECT notebook, git_commit, rows FROM ops.run") == [("2_clean", "abcdef123456", 7)]
    assert nbformat.read(done.path, 4).metadata["t3_source"] == "as committed"


def test_run_prints_the_last_table_what_was_recorded_and_the_copy(sold):
    done = t3("run", "2_clean", "-p", "business_date", "2026-11-05")
    assert done.exit_code == 0, done.output
    *_, rejects, rules, copy = done.output.strip().splitlines()
    assert (rejects, rules) == ("rejects: 0", f"rules: {Rulebook.of_folder().hash[:12]}")
    assert nbformat.read(copy, 4).metadata["papermill"]["parameters"] == {"business_date": "2026-11-05"}
    assert "sales: 2" in done.output
    assert rows("SELECT count(*) FROM ops.run") == [(0,)]


def test_run_refuses_what_the_notebook_does_not_take(database):
    for words in (("-p", "day", "2026-11-05"), ("-p", "business_date", "Thursday")):
        done = t3("run", "2_clean", *words)
        assert done.exit_code == 2
        assert "batch_id = ''" in done.output
        assert "business_date = ''" in done.output
    assert t3("run", "2_clean", "-p", "day").exit_code == 2


def test_a_cell_that_raises_is_named_with_the_copy(database, tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "broken.ipynb")
    done = t3("run", str(tmp_path / "broken.ipynb"))
    assert done.exit_code == 1
    assert "ZeroDivisionError: division by zero (cell In [1] of broken" in done.output.replace("\n", "")


def test_diff_says_what_would_change_and_how_to_apply_it(sold, monkeypatch):
    assert "0 would come out differently" in t3("diff", "2026-11-05").output
    limit(monkeypatch, 50_00)
    shown = " ".join(t3("diff", "2026-11-05").output.split())
    assert "1 would come out differently" in shown
    assert "loaded above_limit 1 -£99.00" in shown
    assert "To apply the rules: t3 ingest --reprocess 2026-11-05" in shown
    found = json.loads(t3("diff", "2026-11-05", "--json").output)
    assert found["days"] == [{"truck_id": 3, "business_date": "2026-11-05", "rows_before": 2, "rows_after": 1,
                              "pence_before": 10399, "pence_after": 499}]  # fmt: skip
    assert found["trucks"] == [{"truck_id": 3, "rows": -1, "pence": -9900}]
    assert found["dates"] == [{"business_date": "2026-11-05", "rows": -1, "pence": -9900}]
    assert "0 would come out" in t3("diff", "2026-11-05", "--commit", "HEAD").output
    against = " ".join(t3("diff", "2026-11-05", "--against", "HEAD").output.split())
    assert "1 would come out differently than under the rules of HEAD" in against
    assert "truck sales change of sales 3 -1 -£99.00" in against
    assert "To apply" not in against
    assert "0 would" in t3("diff", "2026-11-05", "--commit", "HEAD", "--against", "HEAD").output
    assert "There is no commit 'unheard'" in str(t3("diff", "2026-11-05", "--commit", "unheard").exception)
    assert t3("diff", "yesterday").exit_code == 1


def test_diff_names_flags_suggestions_and_files_that_are_not_compared(sold, bucket, monkeypatch):
    cells = ('rules.flag("odd", "Odd (loaded).", when=rows.pence.eq(499))', 'rules.suggest("above_limit", rows.pence)')
    put_in_force(monkeypatch, Rulebook((*Rulebook.of_folder().cells, *cells)))
    put(bucket, LUNCH.replace("_A1", "_B2"), at("12:05", "card", "7"))
    discover(Landing(), sweep=True)
    shown = " ".join(t3("diff", "2026-11-05").output.split())
    assert "loaded loaded, differently 1 £0.00" in shown
    assert "code what rows get it rows lose it rows get another change of suggested totals odd flag 1 0 0" in shown
    assert "odd 3 1 0 0" in shown
    assert "odd 05 Nov 2026 1 0 0" in shown
    assert "1 file of these days has no loaded rows and cannot be compared. claimed: Being taken in" in shown
    found = json.loads(t3("diff", "2026-11-05", "--json").output)
    assert found["not_compared"] == {LUNCH.replace("_A1", "_B2"): "claimed"}
    assert found["waiting"] == []
    assert found["flags_and_suggestions"] == [
        {"code": "odd", "what": "flag", "truck_id": 3, "business_date": "2026-11-05", "gained": 1, "lost": 0,
         "changed": 0, "pence": 0},
    ]  # fmt: skip
