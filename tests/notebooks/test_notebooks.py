"""Every notebook keeps the project's contract and runs from top to bottom on its defaults."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from scheduler import kernels
from scheduler.queue.stages import INGEST
from scheduler.runs import contract, dry_run, parameters
from scheduler.runs.runner import NotebookFailedError
from t3lib import archive, warehouse
from t3lib.settings import ROOT, settings
from t3lib.simulate import simulate
from t3lib.warehouse.db import roles
from tests.clusters import own_database
from tests.conftest import PASSWORDS
from tests.support.feeding import rows, take_in

pytestmark = pytest.mark.slow  # it executes notebooks

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted((ROOT / "notebooks" / "explore").glob("*.ipynb"))
DAY = date(2026, 11, 15)
ON, EMPTY = {"business_date": "2026-11-14"}, {"business_date": "2025-12-25"}
# Two sets for each notebook; where it looks at days, the second is one without data.
PARAMETERS: dict[str, tuple[Mapping[str, object], ...]] = {
    "1_extract": (ON, EMPTY),
    "2_clean": (ON, EMPTY),
    "3_load": (ON, EMPTY),
    "4_report": (ON | {"edition": "culinary"}, EMPTY),
    "5_dashboard": ({"range": "4weeks"}, {"range": "yesterday"}),
    "6_operations": ({"days": 1}, {"days": 400}),
    "compare_rules": (ON | {"days": 2}, EMPTY),
    "cost_what_if": (ON | {"cost": "wages", "change_pct": 10.0}, EMPTY),
    "first_look": (ON | {"days": 2}, EMPTY),
    "like_for_like": (ON | {"days": 1}, EMPTY),
    "menu_what_if": (ON | {"truck_id": 1, "price_change_pct": -10.0}, EMPTY),
    "new_kpi": (ON | {"days": 3}, EMPTY),
    "price_points": (ON | {"limit_pence": 850}, EMPTY),
    "weather_and_festival": (ON | {"days": 4}, EMPTY),
}
PIPELINE = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]


@pytest.fixture(scope="module")
def fleet(postgres, _template, tmp_path_factory):
    """The variables of a database with five days of a made-up fleet, its bucket and an archive, under all roles."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "archive").mkdir()
    simulate(folder / "bucket", trucks=2, days=5, end=DAY, seed=1)
    with own_database(postgres, _template) as url, pytest.MonkeyPatch.context() as patch:
        places = {name.upper(): (folder / name).as_uri() for name in ("bucket", "archive")}
        variables = {"T3_DATABASE_URL": url, "T3_LANDING_URL": places["BUCKET"],
                     "T3_ARCHIVE_URL": places["ARCHIVE"], "T3_OUTPUTS": str(folder / "outputs")}  # fmt: skip
        for name, value in variables.items():
            patch.setenv(name, value)
        settings.cache_clear()
        take_in()
        archive.write()
        with warehouse.connect() as db:
            roles.ensure(db, PASSWORDS)
        yield variables | {f"T3_{name.upper()}": value for name, value in roles.urls(url, PASSWORDS).items()}


@pytest.fixture
def filled(fleet, monkeypatch):
    """That fleet for one test; none may change it."""
    for name, value in fleet.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return fleet


@pytest.mark.slow
def test_nbval_runs_every_notebook_with_an_analysts_rights(filled, tmp_path):
    home = tmp_path / "home"
    kernels.install(home)
    analyst = {"T3_HOME": str(home), "T3_DATABASE_URL": filled["T3_DATABASE_URL_ANALYST"]}
    env = os.environ | kernels.environment(home) | analyst
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-kernel-name=t3", "-q", "-p", "no:cacheprovider",
         *map(str, NOTEBOOKS)],
        env=env, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    cells = sum(cell.cell_type == "code" for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells)
    assert f"{cells} passed" in result.stdout


@pytest.mark.slow  # it runs notebooks in kernels
@pytest.mark.parametrize("name", PARAMETERS)
def test_every_notebook_runs_with_other_parameters_and_on_a_day_without_data(filled, name):
    before = figures()
    found = []
    for given in PARAMETERS[name]:
        path = parameters.notebook(name)
        values = parameters.values(path, [(parameter, str(value)) for parameter, value in given.items()])
        found.append(dry_run.dry_run(path, values).values)
    assert figures() == before
    if path.parent.name == "explore":
        assert found[0]["rows"] > 0
        assert re.search(r"\d", found[0]["finding"])
        assert found[1]["rows"] == 0
        assert found[1]["finding"].startswith("No sales in the ")


def test_every_notebook_is_run_with_other_parameters():
    elsewhere = {"history_with_dask"}  # test_history_with_dask.py
    assert {path.stem for path in NOTEBOOKS} == set(PARAMETERS) | elsewhere
    for path in (path for path in NOTEBOOKS if path.stem not in elsewhere):
        known = {parameter.name for parameter in parameters.parameters(path)}
        assert all(set(given) <= known for given in PARAMETERS[path.stem])


def test_a_dry_run_keeps_its_copy_and_its_staged_files_apart(filled):
    done = dry_run.dry_run(parameters.notebook("2_clean"), {"business_date": DAY.isoformat()})
    assert done.values["rows"] == done.values["sales"] + done.values["rejects"] > 0
    assert done.table[0][-2:] == ["reason", "suggested_pence"]
    assert done.path.is_relative_to(settings().outputs / "dry_runs")
    staged = settings().outputs / "dry_runs" / "staging" / f"dry_run-{DAY}"
    assert (staged / "sales.parquet").exists()
    assert not (settings().outputs / "staging" / staged.name).exists()


def test_a_dry_run_cannot_write_where_figures_are(filled, tmp_path):
    cells = [new_code_cell("from t3lib import warehouse\nimport sqlalchemy as sa\nwith warehouse.connect() as db:\n"
                           f"    db.execute(sa.text('{statement}'))")
             for statement in ("CREATE TABLE sandbox.tried (a int)", "DROP TABLE sandbox.tried",
                               "DELETE FROM core.sale")]  # fmt: skip
    nbformat.write(new_notebook(cells=cells), tmp_path / "tried.ipynb")
    with pytest.raises(NotebookFailedError, match="may not use") as failed:
        dry_run.dry_run(tmp_path / "tried.ipynb", {})
    assert failed.value.cell == 3


def test_a_dry_run_without_a_role_of_its_own_only_reads(filled, tmp_path, monkeypatch):
    monkeypatch.delenv("T3_DATABASE_URL_ANALYST")
    settings.cache_clear()
    source = "from t3lib import warehouse\nimport sqlalchemy as sa\nwith warehouse.connect() as db:\n"
    source += "    db.execute(sa.text('CREATE TABLE sandbox.tried (a int)'))"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "tried.ipynb")
    with pytest.raises(NotebookFailedError, match="read-only transaction"):
        dry_run.dry_run(tmp_path / "tried.ipynb", {})


def figures() -> list[tuple]:
    """What no dry run may change: the figures' version, files, rows and runs."""
    return rows("""
        SELECT version, (SELECT count(*) FROM core.sale), (SELECT count(*) FROM ops.rejected_row),
               (SELECT count(*) FROM ops.source_file), (SELECT count(*) FROM ops.run), (SELECT count(*) FROM ops.batch)
        FROM mart.watermark
    """)


def test_the_numbered_notebooks_are_the_pipeline():
    assert [path.stem for path in PIPELINE] == [*INGEST, "4_report", "5_dashboard", "6_operations"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_contract(path):
    assert contract.breaches(path) == []


@pytest.mark.slow  # it runs notebooks in kernels
@pytest.mark.parametrize("name", [name for name in PARAMETERS if not name.startswith(("4", "5", "6"))])
def test_a_notebook_runs_on_its_defaults_before_the_first_load(bucket, name):
    values = dry_run.dry_run(parameters.notebook(name), {}).values
    assert values["rows"] == 0
    assert values.get("finding", "No sales").startswith(("No sales", "Needs metadata/costs.csv"))
