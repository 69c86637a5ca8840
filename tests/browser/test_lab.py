"""JupyterLab as analysts open it: a notebook is run, and saved as it was."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scheduler.web import processes
from t3lib.settings import ROOT, settings
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS
from tests.support.visitor import given

FIRST_LOOK = ROOT / "notebooks" / "explore" / "first_look.ipynb"


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    """A copy of a notebook that a test may save, in a folder that the tests remove."""
    folder = FIRST_LOOK.with_name("opened_by_a_test")
    folder.mkdir(exist_ok=True)
    yield Path(shutil.copy(FIRST_LOOK, folder))
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def lab(fleet_database: str, copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Page]:
    """JupyterLab over the two trucks' database, under the analyst's role. At its start it may edit what is there."""
    home = tmp_path_factory.mktemp("home")
    analyst = roles.urls(fleet_database, PASSWORDS)["database_url_analyst"]
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        given(patch, T3_HOME=str(home), T3_OUTPUTS=str(home / "outputs"), T3_DATABASE_URL=fleet_database,
              T3_DATABASE_URL_ANALYST=analyst)  # fmt: skip
        served = running.enter_context(processes.lab())
        patch.undo()
        settings.cache_clear()
        yield served


def test_a_notebook_is_run_to_its_finding_and_saved_without_a_trace(copy: Path, lab: processes.Page, tab: Page):
    before = copy.read_bytes()
    tab.goto(lab.url.replace("/lab/tree/notebooks", f"/lab/workspaces/own/tree/{copy.relative_to(ROOT)}"))
    expect(tab.get_by_text("T3 | Idle")).to_be_visible()
    tab.get_by_role("menuitem", name="Run", exact=True).click()
    tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(tab.get_by_text(re.compile(r"finding\s+In the 28 days up to"))).to_be_visible()
    copy.unlink()
    tab.keyboard.press("Control+s")
    for _ in range(100):
        if copy.exists() and copy.stat().st_size:
            break
        tab.wait_for_timeout(100)
    assert copy.read_bytes() == before


def test_it_opens_on_the_notebooks_with_one_kernel_and_asks_nothing(lab: processes.Page, tab: Page):
    tab.goto(lab.url)
    shown = tab.locator(".jp-DirListing-itemName")
    expect(shown.first).to_have_text("explore")
    assert shown.all_inner_texts()[1:4] == ["1_extract.ipynb", "2_clean.ipynb", "3_load.ipynb"]
    offered = tab.locator(".jp-Launcher-section").first.locator(".jp-LauncherCard-label")
    expect(offered).to_have_text(["T3"])
    expect(tab.get_by_text("get notified")).to_have_count(0)
