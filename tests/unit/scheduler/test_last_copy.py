"""The executed copy that the menu T3 opens is that of the last run."""

import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from scheduler.web.lab import executed
from t3lib.settings import settings
from tests.support.pages import HOSTILE


@pytest.fixture
def kept():
    """Writes an executed copy under outputs/, ended at that second."""

    def write(place: str, second: int, html: str = "") -> None:
        path = settings().outputs / place
        path.parent.mkdir(parents=True, exist_ok=True)
        cell = new_code_cell("1", outputs=[new_output("display_data", {"text/html": html})])
        nbformat.write(new_notebook(cells=[cell], metadata={"papermill": {"parameters": {"days": 3}}}), path)
        os.utime(path, (second, second))

    return write


def test_the_last_of_dry_runs_and_scheduled_runs_counts(kept):
    assert executed.last_copy("2_clean") is None
    kept("dry_runs/2026-11-05/2_clean-101010-aaaaaa.ipynb", 100)
    kept("dry_runs/2026-11-06/1_extract-101010-aaaaaa.ipynb", 900)
    kept("dry_runs/2026-11-06/my_2_clean-101010-aaaaaa.ipynb", 900)
    assert executed.last_copy("2_clean").name == "2_clean-101010-aaaaaa.ipynb"
    kept("runs/2026-11-05/7-abc/2_clean.ipynb", 200)
    assert executed.last_copy("2_clean").parent.name == "7-abc"
    kept("dry_runs/2026-11-06/2_clean-101111-aaaaaa.ipynb", 300)
    assert executed.last_copy("2_clean").name == "2_clean-101111-aaaaaa.ipynb"


def test_its_page_holds_nothing_that_could_run(kept):
    kept("dry_runs/2026-11-05/2_clean-101010-aaaaaa.ipynb", 100, HOSTILE)
    page = executed.page("2_clean")
    assert "<script" not in page
    assert "onerror" not in page
    assert "days = 3" in page
    assert "Operations" not in page
    assert "was not run here yet" in executed.page("never")
