"""The menu matrix as staff see it."""

from datetime import timedelta

from playwright.sync_api import BrowserContext, expect

from scheduler.pictures.screenshots import settled
from t3lib import business_day
from tests.browser.conftest import HOSTILE, Site
from tests.support.pages import offer


def test_the_matrix_is_drawn_on_its_tab_within_the_window(context: BrowserContext, site: Site):
    with site.change() as db:
        offer(db, 1, HOSTILE, 600, 100)
        offer(db, 1, "Taco", 300, 100)
        for price, sold in ((600, 3), (300, 30)):
            db.exec_driver_sql("INSERT INTO mart.price_daily VALUES (1, %s, %s, %s)",
                               (business_day.today() - timedelta(days=1), price, sold))  # fmt: skip
    page = context.new_page()
    page.goto(f"{site.url}?range=yesterday&tab=menus", wait_until="commit")
    settled(page)
    card = page.locator(".t3-live .t3-tab-chart")
    expect(card.get_by_role("heading", name="Menu matrix")).to_be_visible()
    dots = card.locator("svg path[fill^='var(--t3-usual'], svg path[fill^='var(--t3-muted']")
    expect(card.locator("svg")).to_contain_text("Taco")
    assert dots.count() >= 2  # a plowhorse and a puzzle, and the legend
    expect(page.locator(".t3-live .t3-sheet")).to_contain_text("plowhorse")
    assert page.locator(".t3-live img").count() == 0
    for width in (390, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
    page.close()
