"""history_with_dask.ipynb: an answer from the archive alone, on this machine's cluster or another one."""

from pathlib import Path

import nbformat
import pytest

from scheduler.embedded import services
from scheduler.runs import runner
from t3lib import archive, record
from t3lib.settings import ROOT, settings
from tests.support.feeding import LUNCH, at, put, take_in

pytestmark = pytest.mark.slow  # it starts a cluster

NOTEBOOK = ROOT / "notebooks" / "explore" / "history_with_dask.ipynb"
EMPTY = "The archive holds no sales of these months: run `t3 ingest`, then this notebook again."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty archive in a folder."""
    path = tmp_path / "archive"
    path.mkdir()
    monkeypatch.setenv("T3_ARCHIVE_URL", path.as_uri())
    settings.cache_clear()
    return path


@pytest.fixture
def thursday(bucket: Path) -> None:
    """£100.00 at noon and £4.00 at three on a Thursday, a sale of another truck on the last day of October."""
    put(bucket, LUNCH, at("12:00", "card", "99.00"), at("12:01", "cash", "1.00"), at("15:00", "cash", "4.00"))
    put(bucket, "trucks/2026-10/31/15/T3_T5_A1.csv", at("13:00", "card", "7.00", day="2026-10-31"))
    take_in()


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, **parameters) -> tuple[dict, str]:
    """The values that the notebook recorded and the text of everything that it showed, made without a database."""
    monkeypatch.delenv("T3_DATABASE_URL", raising=False)
    path = folder / "history_with_dask.ipynb"
    made = runner.execute(NOTEBOOK, path, parameters, runner.kernel_environment("analyst"))
    return record.read(made), nbformat.writes(made)


def test_the_quiet_hours_of_the_archive_are_found(folder, thursday, tmp_path, monkeypatch):
    archive.write()
    values, shown = run(tmp_path, monkeypatch)
    assert values["rows"] == 4
    assert values["finding"] == (
        "Truck 3 takes only £4.00 of its £104.00 in 1 of its 2 trading hours a week: "
        "the first place to look for wages to save."
    )
    assert "Thursday" in shown
    assert run(tmp_path, monkeypatch, first_month="2026-11", quiet_share_pct=1.0)[0] == {
        "rows": 3,
        "finding": "Every trading hour earns its share: no truck has an hour that hardly pays.",
    }


def test_an_empty_archive_says_so(folder, tmp_path, monkeypatch):
    assert run(tmp_path, monkeypatch)[0] == {"rows": 0, "finding": EMPTY}


def test_months_without_sales_say_so(folder, thursday, tmp_path, monkeypatch):
    archive.write()
    assert run(tmp_path, monkeypatch, last_month="2025-12")[0] == {"rows": 0, "finding": EMPTY}


def test_another_cluster_does_the_work_and_no_secret_is_shown(thursday, tmp_path, monkeypatch):
    from dask.distributed import Client, LocalCluster

    with services(("archive",), say=lambda line: None):
        archive.write()
        secret = settings().need("s3_secret_access_key")
        with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
            monkeypatch.setenv("T3_DASK_SCHEDULER", cluster.scheduler_address)
            values, shown = run(tmp_path, monkeypatch)
            with Client(cluster) as client:
                did = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)
    assert values["rows"] == 4
    assert secret not in shown
    assert did > 0
