"""How people use the dashboard: by keyboard, on paper, from a link, in a hurry; and what they leave behind."""

import io
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Page, expect

from scheduler.web import voila_server
from scheduler.web.auth.access import Rules
from t3lib import business_day, warehouse
from t3lib.money import pounds
from tests.browser.conftest import IDLE_SECONDS, LOOK_SECONDS, Site
from tests.browser.test_dashboard import GROSS, LATEST, opened


@pytest.fixture(scope="module")
def page(context: BrowserContext, site: Site) -> Page:
    """A tab that stays open for the tests that only look."""
    return opened(context.new_page(), site)


def pressed(page: Page, key: str, until: str) -> None:
    """Press a key until the focus is on something with this text."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement.innerText").strip() == until:
            return
    raise AssertionError(f"the keyboard never came to {until}")


def test_everything_is_reached_by_keyboard(tab: Page, site: Site):
    opened(tab, site)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.innerText") == "Skip to the figures"
    pressed(tab, "Tab", "Yesterday")
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.keyboard.press("Space")
    expect(tab).to_have_url(re.compile(r"\?range=yesterday$"))
    pressed(tab, "Tab", "1 · Burrito Madness")
    tab.keyboard.press("Space")
    expect(tab).to_have_url(re.compile(r"range=yesterday&truck=1$"))
    pressed(tab, "Tab", "?")
    tab.keyboard.press("Enter")
    expect(tab.locator(".t3-live .t3-help[open]").first).to_be_visible()


def test_how_did_a_truck_do_on_a_day_at_lunch_takes_three_steps(tab: Page, site: Site):
    """The truck, the day, and the hour is shown."""
    opened(tab, site)
    day = business_day.today() - timedelta(days=5)
    tab.get_by_role("button", name="Burrito Madness").click()
    tab.get_by_label("From").fill(day.isoformat())
    tab.get_by_label("To", exact=True).fill(day.isoformat())
    expect(tab).to_have_url(re.compile(rf"from={day}&to={day}&truck=1$"))
    with warehouse.connect(site.database) as db:
        lunch = (
            "SELECT total_pence FROM mart.sales_hourly WHERE truck_id = 1 AND local_hour = 14 AND business_date = :d"
        )
        sold = db.execute(sa.text(lunch), {"d": day}).scalar_one()
    heat = tab.get_by_role("region", name="Gross sales by hour and truck")
    # The other truck's row stays until the page is redrawn.
    lunchtime = heat.locator("td[title^='Burrito Madness, 14:00']")
    expect(lunchtime).to_have_attribute("title", re.compile(re.escape(pounds(sold))))


def test_link_that_is_copied_opens_the_same_page(tab: Page, site: Site):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(tab, site, "?range=4weeks&payment=cash")
    shown = tab.locator(GROSS).inner_text()
    tab.get_by_role("button", name="Copy link").click()
    expect(tab.get_by_role("button", name="Copied")).to_be_visible()
    link = tab.evaluate("navigator.clipboard.readText()")
    assert link == f"{site.url}?range=4weeks&payment=cash"
    tab.goto(link, wait_until="commit")
    expect(tab.locator(GROSS)).to_have_text(shown)


def test_clicking_an_hour_leads_to_its_sales(tab: Page, site: Site):
    opened(tab, site, "?range=yesterday")
    box = tab.locator(".t3-live .t3-hours svg").bounding_box()
    tab.mouse.click(box["x"] + 75, box["y"] + box["height"] - 60)
    expect(tab).to_have_url(re.compile(r"hour=14&tab=rows$"))
    expect(tab.get_by_role("region", name="Single sales")).to_contain_text("Burrito Madness")


def test_workbook_adds_up_to_the_page(page: Page, site: Site):
    with page.expect_download() as found:
        page.get_by_role("button", name="Excel").click()
    assert found.value.suggested_filename.endswith(".xlsx")
    head, *lines = load_workbook(io.BytesIO(Path(found.value.path()).read_bytes()), read_only=True).active.values
    assert sum(Decimal(str(line[head.index("gross_sales")])) for line in lines) * 100 == site.pence(LATEST)


def test_the_printed_page_has_the_figures_and_not_the_controls(page: Page):
    page.emulate_media(media="print")
    expect(page.locator(".t3-live .t3-controls")).to_be_hidden()
    expect(page.locator(".t3-live .t3-tiles")).to_be_visible()
    expect(page.locator(".t3-live .t3-hours")).to_be_visible()
    page.emulate_media(media="screen")


def test_who_wants_no_motion_gets_none(page: Page):
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate("""() => [...document.querySelectorAll('*')].filter((element) => {
        const style = getComputedStyle(element);
        return parseFloat(style.transitionDuration) > 0.01 || parseFloat(style.animationDuration) > 0.01;
    }).map((element) => element.className)""")
    page.emulate_media(reduced_motion="no-preference")
    assert moving == []


@pytest.fixture(scope="module", autouse=True)
def closed(context: BrowserContext, site: Site) -> tuple[str, float]:
    """The address of a closed tab's kernel, and when it was closed: before the other tests, which need not wait."""
    closing = opened(context.new_page(), site)
    kernel = closing.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    closing.close()
    address = f"{site.url}api/kernels/{kernel}"  # asked with the cookies of this browser, whose kernel it is
    assert context.request.get(address).status == 200
    return address, time.monotonic()


def test_closed_tab_frees_its_kernel_within_a_minute(context: BrowserContext, closed: tuple[str, float]):
    address, since = closed
    while context.request.get(address).status != 404:
        slow_machine = 15
        assert time.monotonic() < since + IDLE_SECONDS + LOOK_SECONDS + slow_machine, "its kernel still runs"
        time.sleep(0.5)
    shipped: Mapping[str, Any] = voila_server._config(Rules(), "5_dashboard")["MappingKernelManager"]
    assert shipped["cull_idle_timeout"] + shipped["cull_interval"] <= 60
