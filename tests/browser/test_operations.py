"""What operators see and do."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Page, expect

from scheduler.pictures.screenshots import settled
from t3lib import operator_requests, warehouse
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from tests.browser.conftest import HOSTILE, Site
from tests.clusters import execute, named
from tests.conftest import PASSWORDS
from tests.support.feeding import LUNCH, assert_reconciles, at, put, rows, sales, take_in

MENU = "truck_id,menu_item,menu_type,price"


@pytest.fixture(scope="module")
def place(postgres: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database with a lost point (row 2) and a hostile row, its bucket and outputs, by variable."""
    name, folder = f"operations_{os.getpid()}", tmp_path_factory.mktemp("operations")
    execute(postgres, f"CREATE DATABASE {name} TEMPLATE {_template} STRATEGY FILE_COPY")
    (folder / "bucket").mkdir()
    made = {"T3_DATABASE_URL": named(postgres, name), "T3_LANDING_URL": (folder / "bucket").as_uri(),
            "T3_OUTPUTS": str(folder / "outputs")}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        _enter(patch, made)
        with warehouse.connect() as db:
            roles.ensure(db, PASSWORDS)
        put(folder / "bucket", "metadata/menu.csv", "3,Burrito,Mexican,4.99", header=MENU)
        put(folder / "bucket", LUNCH, at("12:00", "card", "4.99"), at("12:01", "card", "499"),
            at("12:02", HOSTILE, HOSTILE))  # fmt: skip
        take_in()
        yield made
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _in_its_place(place: dict[str, str], _clean_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(monkeypatch, place)


@pytest.fixture(scope="module")
def served(serve: Callable[..., Site], place: dict[str, str]) -> Site:
    """The page as operators get it."""
    return serve("6_operations", place["T3_DATABASE_URL"], "operator", T3_OUTPUTS=place["T3_OUTPUTS"])


def _enter(patch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        patch.setenv(name, value)
    settings.cache_clear()


def test_a_rejected_row_is_repaired_through_the_form(tab: Page, served: Site):
    tab.goto(f"{served.url}?day=2026-11-05&truck=3", wait_until="commit")
    settled(tab)
    live = tab.locator(".t3-live")
    expect(live).to_contain_text(HOSTILE)
    live.locator("tr", has_text="499").get_by_role("link", name="Repair").press("Enter")
    expect(tab.get_by_role("heading", name="Repair a rejected row")).to_be_focused()
    assert "do=repair" in tab.url
    tab.get_by_label("Why").fill(f"The till {HOSTILE}")
    tab.get_by_label("Your name").fill("Ann")
    tab.get_by_label("Your name").press("Tab")
    tab.get_by_role("button", name="Review").press("Enter")
    expect(live).to_contain_text("Make row 2 of file 2 a sale of £4.99?")
    tab.get_by_role("button", name="Submit request").press("Enter")
    expect(live.locator("tr", has_text="waiting for a worker")).to_contain_text("Ann")
    assert operator_requests.carry_out() == 1
    expect(live).to_contain_text("£4.99 by card at truck 3 is a sale now.")
    assert sales() == [(3, 1, 499), (3, 2, 499)]
    assert rows("SELECT actor, why FROM ops.repair") == [("Ann", f"The till {HOSTILE}")]
    assert_reconciles()
    assert "by=Ann" in tab.url
    assert "owned" not in tab.title()


def test_a_failed_run_appears_in_the_open_page_on_a_telephone(tab: Page, served: Site):
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto(f"{served.url}?do=backfill", wait_until="commit")
    settled(tab)
    with served.change() as db:
        db.execute(
            sa.text("""INSERT INTO ops.run (run_id, notebook, state, failed_cell, error)
                       VALUES ('r1', '3_load', 'failed', 4, :text)"""),
            {"text": f"{HOSTILE} has no header"},
        )
    expect(tab.locator(".t3-live")).to_contain_text(f"In [4]: {HOSTILE} has no header")
    assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    found = Axe().run(tab).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_an_executed_notebook_is_shown_and_runs_nothing(tab: Page, served: Site, place: dict[str, str]):
    folder = Path(place["T3_OUTPUTS"]) / "runs" / "2026-11-24" / "2-copy"
    folder.mkdir(parents=True)
    attack = f"<script>document.title='owned'</script>{HOSTILE}<table onclick='x()'><tr><td>kept</td></tr></table>"
    shown = [new_output("display_data", {kind: text})
             for kind, text in (("text/html", attack), ("application/javascript", "alert('owned')"))]  # fmt: skip
    cells = [new_markdown_cell(f"# Clean\n\n{attack}"), new_code_cell("print(1)", outputs=shown)]
    nbformat.write(new_notebook(cells=cells), folder / "2_clean.ipynb")
    (folder.parents[2] / "secret.ipynb").write_text((folder / "2_clean.ipynb").read_text())
    (folder / "link.ipynb").symlink_to(folder.parents[2] / "secret.ipynb")
    with served.change() as db:
        for run, copy in (("2-copy", "runs/2026-11-24/2-copy/2_clean.ipynb"), ("2-out", "runs/../secret.ipynb"),
                          ("2-link", "runs/2026-11-24/2-copy/link.ipynb"), ("2-far", "/etc/passwd")):  # fmt: skip
            db.execute(
                sa.text("INSERT INTO ops.run (run_id, notebook, state, parameters, executed_copy) "
                        "VALUES (:run, '2_clean', 'succeeded', jsonb_build_object('batch_id', CAST(:text AS text)), "
                        ":copy)"), {"run": run, "copy": copy, "text": "<b>x</b>"})  # fmt: skip
    tab.goto(f"{served.url}runs/2-copy")
    expect(tab.get_by_role("heading", name="Clean", exact=True)).to_be_visible()
    assert tab.locator("td", has_text="kept").count() == 2
    assert "owned" not in tab.content()
    assert (tab.title(), tab.locator("script, [onclick], img[src]").count()) == ("2_clean", 0)
    for run in ("2-out", "2-link", "2-far"):
        page = urllib.request.urlopen(f"{served.url}runs/{run}", timeout=30).read().decode()
        assert "is not on this machine" in page
    for path in ("runs/none", "runs/..%2F..%2Fsecret.ipynb", "runs/2-copy/../../secret.ipynb"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
            urllib.request.urlopen(f"{served.url}{path}", timeout=30)
