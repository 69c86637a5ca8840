"""Every notebook has the house's shape and runs from top to bottom on its defaults."""

import os
import subprocess
import sys
from datetime import date

import nbformat
import pytest

from scheduler import contract, kernels
from scheduler.discovery import discover
from scheduler.stages import INGEST
from t3lib import pipeline, warehouse
from t3lib.landing import Landing
from t3lib.settings import ROOT, settings
from t3lib.simulate import simulate
from t3lib.warehouse import ledger, roles
from tests.conftest import PASSWORDS

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted((ROOT / "notebooks" / "explore").glob("*.ipynb"))
PIPELINE = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]


@pytest.fixture
def filled(database, tmp_path, monkeypatch):
    """A database with three days of a made-up fleet, its bucket and an archive folder, in the environment."""
    bucket, archive = tmp_path / "bucket", tmp_path / "archive"
    archive.mkdir()
    simulate(bucket, trucks=2, days=3, end=date(2026, 11, 15), seed=1)
    for name, folder in (("LANDING", bucket), ("ARCHIVE", archive)):
        monkeypatch.setenv(f"T3_{name}_URL", folder.as_uri())
    settings.cache_clear()
    while discover(Landing(), sweep=True) or _open():
        for batch_id in _open():
            batch = pipeline.open_batch(batch_id)
            for stage in (pipeline.extract_batch, pipeline.clean_batch, pipeline.load_batch):
                stage(batch)
            with warehouse.connect() as db:
                ledger.finish(db, batch_id)
    return database


def _open() -> list[str]:
    with warehouse.connect() as db:
        return [batch_id for batch_id, _ in ledger.open_batches(db)]


def test_nbval_runs_every_notebook_with_an_analysts_rights(filled, tmp_path):
    home = tmp_path / "home"
    kernels.install(home)
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
    analyst = roles.urls(filled, PASSWORDS)["database_url_analyst"]
    env = os.environ | kernels.environment(home) | {"T3_HOME": str(home), "T3_DATABASE_URL": analyst}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-kernel-name=t3", "-q", "-p", "no:cacheprovider",
         *map(str, NOTEBOOKS)],
        env=env, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    cells = sum(cell.cell_type == "code" for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells)
    assert f"{cells} passed" in result.stdout


def test_the_numbered_notebooks_are_the_pipeline():
    assert [path.stem for path in PIPELINE] == [*INGEST, "4_report", "5_dashboard", "6_operations"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_the_contract(path):
    assert contract.breaches(path) == []
