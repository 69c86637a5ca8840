"""JupyterLab as analysts open it: a notebook is run, and saved as it was; the menu T3."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, expect

from scheduler.runs import contract
from scheduler.web import processes
from t3lib import business_day
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
def lab(fleet_database: str, copy: Path) -> Iterator[processes.Page]:
    """JupyterLab over the two trucks' database, under the analyst's role. At its start it may edit what is there."""
    folder = Path(tempfile.mkdtemp(prefix="t3-home-"))
    home, bucket = folder / "home", folder / "bucket"
    for place in (folder, home, bucket):
        place.mkdir(exist_ok=True)
        place.chmod(0o755)  # JupyterLab's account, where it has one, passes through and reads the bucket
    analyst = roles.urls(fleet_database, PASSWORDS)["database_url_analyst"]
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        given(patch, T3_HOME=str(home), T3_OUTPUTS=str(home / "outputs"), T3_DATABASE_URL=fleet_database,
              T3_DATABASE_URL_ANALYST=analyst, T3_LANDING_URL=bucket.as_uri(),
              T3_ARCHIVE_URL=bucket.as_uri())  # fmt: skip
        served = running.enter_context(processes.lab())
        patch.undo()
        settings.cache_clear()
        yield served
    shutil.rmtree(folder, ignore_errors=True)


def opened(tab: Page, lab: processes.Page, notebook: Path) -> None:
    """Open a notebook in a workspace of its own."""
    tab.goto(
        lab.url.replace(
            "/lab/tree/notebooks",
            f"/lab/workspaces/{notebook.parent.name}_{notebook.stem}/tree/{notebook.relative_to(ROOT)}",
        )
    )
    expect(tab.get_by_text("T3 | Idle")).to_be_visible()


def choose(tab: Page, menu: str, entry: str, answer: str | None = None) -> None:
    """Choose an entry of a menu, and answer the question that it asks."""
    tab.get_by_role("menuitem", name=menu, exact=True).click()
    tab.get_by_role("menuitem", name=entry, exact=True).click()
    if answer is not None:
        tab.locator(".jp-Dialog input").fill(answer)
        tab.get_by_role("button", name="Run", exact=True).click()


def terminal(tab: Page) -> Locator:
    """What the terminal in front shows."""
    return tab.locator(".jp-Terminal:visible .xterm-accessibility")


def test_a_notebook_is_run_to_its_finding_and_saved_without_a_trace(copy: Path, lab: processes.Page, tab: Page):
    before = copy.read_bytes()
    opened(tab, lab, copy)
    choose(tab, "Run", "Run All Cells")
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
    assert shown.all_inner_texts()[1:5] == ["queries", "1_extract.ipynb", "2_clean.ipynb", "3_load.ipynb"]
    offered = tab.locator(".jp-Launcher-section").first.locator(".jp-LauncherCard-label")
    expect(offered).to_have_text(["T3"])
    expect(tab.get_by_text("get notified")).to_have_count(0)


def test_the_menu_t3_runs_a_notebook_and_opens_what_came_of_it(lab: processes.Page, tab: Page):
    opened(tab, lab, FIRST_LOOK)
    day = business_day.today().isoformat()
    choose(tab, "T3", "Dry Run of This Notebook…")
    tab.locator(".jp-Dialog input").fill("soon")
    expect(tab.get_by_role("button", name="Run", exact=True)).to_be_disabled()  # it takes a day only
    tab.get_by_role("button", name="Cancel", exact=True).click()
    choose(tab, "T3", "Dry Run of This Notebook…", day)
    expect(terminal(tab)).to_contain_text(f"t3 run notebooks/explore/first_look.ipynb -p business_date {day}")
    expect(terminal(tab)).to_contain_text(re.compile("finding: In the 28 days up to"))

    tab.get_by_role("tab", name="first_look.ipynb").click()
    choose(tab, "T3", "Executed Copy of the Last Run")
    shown = tab.frame_locator("iframe[src*='t3/executed']")
    expect(shown.locator("dl")).to_contain_text(f"Parametersbusiness_date = {day}")
    expect(shown.get_by_role("img").first).to_be_visible()
    expect(shown.locator("body")).to_contain_text("In the 28 days up to")
    assert shown.locator("script").count() == 0

    choose(tab, "T3", "Diff of the Rules…", f"{day}..{day}")
    expect(terminal(tab)).to_contain_text("No file is loaded for these days: there is nothing to compare.")

    choose(tab, "T3", "Dashboard")
    expect(tab.frame_locator("iframe[src*='5_dashboard']").get_by_text("Gross sales").first).to_be_visible()

    choose(tab, "T3", "Tables and Their Columns")
    expect(tab.get_by_role("heading", name="mart.sales_hourly")).to_be_attached()


def test_the_menu_t3_makes_a_notebook_that_keeps_the_contract(lab: processes.Page, tab: Page):
    made = FIRST_LOOK.with_name("made_by_a_test.ipynb")
    try:
        tab.goto(lab.url)
        choose(tab, "T3", "New Explore Notebook…", made.stem)
        expect(terminal(tab)).to_contain_text(made.name)
        assert contract.breaches(made) == []
    finally:
        made.unlink(missing_ok=True)


def test_a_large_frame_is_shown_page_by_page_without_the_internet(copy: Path, lab: processes.Page, tab: Page):
    cells = [new_code_cell("import pandas as pd\npd.DataFrame({'number': range(500), 'text': '<b>bold</b>'})")]
    large = copy.with_name("large.ipynb")
    nbformat.write(new_notebook(cells=cells, metadata=nbformat.read(FIRST_LOOK, 4).metadata), large)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    opened(tab, lab, large)
    choose(tab, "Run", "Run All Cells")
    table = tab.locator(".jp-OutputArea-output")
    expect(table).to_contain_text("Showing 1 to 20 of 500 entries")
    expect(table).to_contain_text("<b>bold</b>")
    table.locator(".dt-paging-button", has_text=re.compile("^2$")).click()
    expect(table).to_contain_text("Showing 21 to 40 of 500 entries")
    assert any(url.endswith("/static/dt_bundle.js") for url in asked)
    assert [
        url for url in asked if not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
    ] == []
