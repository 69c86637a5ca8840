"""What staff see and do on the dashboard."""

import csv
import io
import re
import urllib.error
import urllib.request
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from scheduler.pictures.screenshots import settled
from t3lib import business_day
from t3lib.dashboard.html import graphs
from t3lib.money import pounds
from t3lib.settings import ROOT
from tests.browser.conftest import HOSTILE, Site

GROSS = ".t3-live [data-figure=gross_sales_pence]"
LATEST = """SELECT sum(total_pence) FROM mart.sales_hourly
            WHERE business_date = (SELECT max(business_date) FROM mart.sales_hourly)"""

AS_LARGE_AS_ITS_PLACE = """(least) => {
    const place = document.querySelector('.t3-live .t3-hours .t3-chart');
    const height = place.querySelector('svg').getBoundingClientRect().height;
    return height >= least && Math.abs(height - place.clientHeight) < 2;
}"""


def opened(tab: Page, site: Site, query: str = "") -> Page:
    tab.goto(site.url + query, wait_until="commit")
    settled(tab)
    return tab


@pytest.fixture(scope="module")
def page(context: BrowserContext, site: Site) -> Page:
    """A tab that stays open for the tests that only look."""
    return opened(context.new_page(), site)


def test_page_shows_the_figure_of_the_database(page: Page, site: Site):
    expect(page.locator(GROSS)).to_have_text(pounds(site.pence(LATEST)))
    assert page.locator(".t3-live .t3-chart svg:visible").count() == 2


def test_first_html_holds_the_figure_without_any_script(site: Site):
    html = urllib.request.urlopen(site.url, timeout=30).read().decode()
    assert pounds(site.pence(LATEST)) in html
    assert "from t3lib" not in html
    assert HOSTILE not in html


def test_widgets_take_over_without_a_jump(tab: Page, site: Site):
    opened(tab, site)
    boxes = """(root) => ['.t3-tiles', '.t3-hours', '.t3-look', '.t3-trucks', '.t3-map', '.t3-days'].map((name) => {
        const box = document.querySelector(root + ' ' + name).getBoundingClientRect();
        return [box.x, box.y, box.width, box.height].map(Math.round);
    })"""
    live = tab.evaluate(boxes, ".t3-live")
    tab.evaluate("document.documentElement.classList.remove('t3-ready')")
    assert tab.evaluate(boxes, ".t3-first") == live


def test_choosing_a_truck_changes_figures_and_address_and_back_undoes_it(tab: Page, site: Site):
    opened(tab, site)
    tab.get_by_role("button", name="Burrito Madness").click()
    one = "SELECT total_pence FROM mart.sales_hourly WHERE truck_id = 1 ORDER BY business_date DESC LIMIT 1"
    expect(tab.locator(GROSS)).to_have_text(pounds(site.pence(one)))
    expect(tab).to_have_url(re.compile(r"\?truck=1$"))
    expect(tab.get_by_role("button", name="Burrito Madness")).to_have_attribute("aria-pressed", "true")
    tab.go_back()
    expect(tab.locator(GROSS)).to_have_text(pounds(site.pence(LATEST)))
    expect(tab.get_by_role("button", name="All trucks")).to_have_attribute("aria-pressed", "true")


def test_truck_in_the_table_is_chosen_without_a_reload(tab: Page, site: Site):
    opened(tab, site)
    tab.evaluate("window.stayed = true")
    tab.get_by_role("link", name="Burrito Madness").click()
    expect(tab).to_have_url(re.compile(r"\?truck=1$"))
    expect(tab.get_by_role("button", name="Burrito Madness")).to_have_attribute("aria-pressed", "true")
    assert tab.evaluate("window.stayed")


def test_tabs_lead_to_money_menus_and_data(page: Page):
    for tab, card in (
        ("Money", "Contribution"),
        ("Menus and places", "Prices paid"),
        ("Single sales", "Single sales"),
        ("Data", "Rejected rows"),
    ):
        page.get_by_role("button", name=tab, exact=True).click()
        expect(page.get_by_role("heading", name=card, exact=True)).to_be_visible()
    page.get_by_role("button", name="Sales", exact=True).click()
    expect(page.get_by_role("heading", name="Sales by hour")).to_be_visible()


@pytest.mark.parametrize("width", [370, 560])  # all names in two lines, and some of them
def test_columns_stand_on_one_line_and_their_figures_apart(tab: Page, width: int):
    weeks = [f"{day.day} {day:%b}" for day in (date(2026, 8, 31) + timedelta(weeks=n) for n in range(13))]
    style = (ROOT / "t3lib/dashboard/template/voila/templates/t3/static/t3.css").read_text()
    chart = graphs.columns(weeks, [19_900_00 + n * 10_00 for n in range(13)])
    tab.set_content(f'<style>{style}</style><div style="width: {width}px">{chart}</div>')
    found = tab.locator(".t3-columns").evaluate("""list => ({
        ends: [...list.querySelectorAll('i')].map(bar => Math.round(bar.getBoundingClientRect().bottom)),
        figures: [...list.querySelectorAll('b')].filter(one => getComputedStyle(one).visibility === 'visible')
            .map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])})""")
    assert (len(found["ends"]), len(set(found["ends"]))) == (13, 1)
    assert len(found["figures"]) > 5
    assert all(one[1] <= other[0] for one, other in pairwise(found["figures"]))


def test_download_is_what_is_shown(page: Page, site: Site):
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV").click()
    text = Path(found.value.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert sum(Decimal(line["gross_sales"]) for line in lines) * 100 == site.pence(LATEST)


def test_address_opens_on_what_it_names(tab: Page, site: Site):
    opened(tab, site, "?range=4weeks&payment=cash")
    cash = "SELECT sum(total_pence) FROM mart.sales_hourly WHERE payment_type = 'cash'"
    expect(tab.locator(GROSS)).to_have_text(pounds(site.pence(cash)))
    expect(tab.get_by_role("button", name="4 weeks")).to_have_attribute("aria-pressed", "true")


def test_a_chart_keeps_within_its_card_when_the_cards_beside_it_change(tab: Page, site: Site):
    page = opened(tab, site)
    page.evaluate("() => document.querySelector('.t3-live .t3-look').style.paddingBottom = '400px'")
    page.wait_for_function(AS_LARGE_AS_ITS_PLACE, arg=500)
    page.evaluate("() => document.querySelector('.t3-live .t3-look').style.paddingBottom = '0'")
    page.wait_for_function(AS_LARGE_AS_ITS_PLACE, arg=0)
    assert page.evaluate("() => document.querySelector('.t3-live .t3-hours svg').clientHeight") < 500


def test_load_arrives_in_the_open_page_without_a_reload(tab: Page, site: Site):
    opened(tab, site)
    before = site.pence(LATEST)
    tab.evaluate("window.stayed = true")
    with site.change() as db:
        db.execute(
            sa.text("INSERT INTO mart.sales_hourly VALUES (1, :day, 15, 0, 'cash', 1, 777)"),
            {"day": business_day.today() - timedelta(days=1)},
        )
    expect(tab.locator(GROSS)).to_have_text(pounds(before + 777))
    assert tab.evaluate("window.stayed")


def test_a_lost_connection_is_shown_and_recovers_by_itself(tab: Page, site: Site):
    opened(tab, site)
    sign = tab.get_by_role("status")
    expect(sign).to_have_text("Live")
    tab.context.set_offline(True)
    expect(sign).to_contain_text("Connection lost")
    tab.context.set_offline(False)
    expect(sign).to_have_text("Live")


def test_hostile_name_is_inert(page: Page):
    assert page.title() == "T3 dashboard"
    assert page.locator("#rendered_cells img").count() == 0
    expect(page.locator(".t3-live .t3-trucks")).to_contain_text(HOSTILE)


def test_nothing_is_requested_from_other_hosts(tab: Page, site: Site):
    asked, refused = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    opened(tab, site)
    ours = (site.url, site.url.replace("http", "ws", 1), "data:", "blob:")
    assert [url for url in asked if not url.startswith(ours)] == []
    assert refused == []


def test_page_is_never_wider_than_the_window(page: Page):
    for width in (390, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(250)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_dark_theme_reaches_page_and_charts(page: Page):
    page.emulate_media(color_scheme="dark")
    colours = """() => [document.body, document.querySelector(".t3-live .t3-hours svg path[fill^='var(--t3-bar']")]
        .map((element) => getComputedStyle(element)).map((style) => [style.backgroundColor, style.fill])"""
    dark = page.evaluate(colours)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(colours)
    assert dark[0][0] != light[0][0]
    assert dark[1][1] != light[1][1]


def test_every_chart_has_a_table_behind_it(page: Page):
    for card in (".t3-hours", ".t3-days"):
        summary = page.locator(f".t3-live {card} .t3-behind summary")
        summary.focus()
        page.keyboard.press("Enter")
        expect(page.locator(f".t3-live {card} .t3-behind table")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "voila/files/5_dashboard.ipynb",
        "voila/files/%2e%2e/pyproject.toml",
        "voila/tree",
        "voila/render/6_operations.ipynb",
        "api/contents",
        "api/kernels",
        "voila/templates/t3/%2e%2e/%2e%2e/%2e%2e/page.py",
    ],
)
def test_nothing_but_the_page_is_within_reach(site: Site, path: str):
    try:
        body = urllib.request.urlopen(site.url + path, timeout=30).read()
    except urllib.error.HTTPError as error:
        body = error.read()
    assert b"nbformat" not in body
    assert b"[project]" not in body
    assert b"import" not in body


def test_the_browser_may_run_our_script_files_only(site: Site):
    with urllib.request.urlopen(site.url, timeout=30) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy


def test_template_in_the_address_is_not_used(site: Site):
    html = urllib.request.urlopen(site.url + "?template=classic&theme=dark", timeout=30).read().decode()
    assert "t3-header" in html


# Texts whose contrast to what is painted behind them is below AA (4.5, large texts 3).
POOR_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const found = rgba(getComputedStyle(e).backgroundColor); if (found[3] === 255) return found; }
    return [255, 255, 255]; };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), poor = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), e = texts.currentNode.parentElement;
    if (!text || !e.checkVisibility({visibilityProperty: true})) continue;
    if (e.closest('script, noscript, .t3-skip, svg')) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const [a, b] = [light(rgba(style.color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < (size >= 24 || size >= 18.6 && style.fontWeight >= 700 ? 3 : 4.5)) poor.push(text);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_every_text_contrasts_with_its_background(
    page: Page, media: Literal["screen", "print"], scheme: Literal["light", "dark"]
):
    page.emulate_media(media=media, color_scheme=scheme)
    assert page.evaluate(POOR_CONTRAST) == []
    page.emulate_media(media="screen", color_scheme="light")
