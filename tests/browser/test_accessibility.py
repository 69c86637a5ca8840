"""What axe-core finds on every tab (the rules come with the package: nothing is fetched)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from scheduler.pictures.screenshots import settled
from t3lib.dashboard.state import TABS
from tests.browser.conftest import Site


@pytest.fixture(scope="module")
def page(context: BrowserContext) -> Page:
    """A tab for all of them."""
    return context.new_page()


@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_serious(page: Page, site: Site, tab: str):
    page.goto(f"{site.url}?range=4weeks&tab={tab}", wait_until="commit")
    settled(page)
    found = Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
