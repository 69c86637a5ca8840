"""Pages of an overloaded machine: late figures still arrive, and a page without any reloads by itself."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, expect

from scheduler.runs.runner import execute, kernel_environment
from t3lib.settings import settings
from tests.browser.conftest import Site

KERNEL = {"kernelspec": {"name": "t3", "display_name": "t3", "language": "python"}}
# Longer behind the reply than nbclient waits by itself (4 s), after which it goes on without outputs.
LATE = """
import sys, time
from IPython.display import HTML, display
sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))
display(HTML("<p>the figures</p>"))
"""
# Nothing at the first visit, figures at the second.
SECOND = """
from pathlib import Path
from IPython.display import HTML, display
seen = Path({seen!r})
if seen.exists():
    display(HTML("<p>the figures</p>"))
seen.touch()
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a notebook of one cell; its path."""

    def write(name: str, source: str) -> Path:
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(source)], metadata=KERNEL), path)
        return path

    return write


def test_late_output_is_waited_for(serve, fleet_database: str, tab: Page, written):
    site: Site = serve(str(written("late", LATE).with_suffix("")), fleet_database, "dashboard")
    tab.goto(site.url)
    expect(tab.locator(".t3-first")).to_have_text("the figures")


def test_late_output_is_in_the_executed_notebook(monkeypatch, tmp_path: Path, written):
    monkeypatch.setenv("T3_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    executed = execute(str(written("late", LATE)), tmp_path / "executed.ipynb", {}, kernel_environment("analyst"))
    assert ["the figures" in str(output.data) for output in executed.cells[-1].outputs] == [True]


def test_page_without_figures_says_so_and_reloads(serve, fleet_database: str, tab: Page, written, tmp_path: Path):
    source = SECOND.format(seen=str(tmp_path / "seen"))
    site: Site = serve(str(written("second", source).with_suffix("")), fleet_database, "dashboard")
    tab.clock.install()
    tab.goto(site.url)
    expect(tab.get_by_role("alert")).to_contain_text("could not be loaded. It retries automatically")
    expect(tab.locator(".t3-live-sign")).to_have_text("Not up to date")
    tab.clock.run_for(20_000)
    expect(tab.locator(".t3-first")).to_have_text("the figures")
    assert tab.get_by_role("alert").count() == 0
