"""What operators see."""

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from scheduler.screenshots import settled
from tests.browser.conftest import Site


def test_failed_run_appears_in_the_open_page(tab: Page, serve: Callable[..., Site], fleet_database: str):
    site = serve("6_operations", fleet_database, "analyst")
    tab.goto(site.url, wait_until="commit")
    settled(tab)
    expect(tab.locator(".t3-live")).to_contain_text("Latest notebook runs")
    with site.change() as db:
        db.execute(
            sa.text("""INSERT INTO ops.run (run_id, notebook, state, failed_cell, error)
                       VALUES ('r1', '3_load', 'failed', 4, '<img src=x onerror=alert(1)> has no header')""")
        )
    expect(tab.locator(".t3-live")).to_contain_text("cell 4: <img src=x onerror=alert(1)> has no header")
    assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
