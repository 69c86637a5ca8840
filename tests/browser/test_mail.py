"""The mail as Chromium shows it: narrow and wide, light and dark, without styles and without pictures."""

import re
from datetime import date

import pytest
from playwright.sync_api import Page

from t3lib import period
from t3lib.metrics import Attention
from t3lib.report.output.delivery import browser_copy
from t3lib.report.output.message import build
from tests.support.reporting import executed, figures, pack, rows, totals, typical

SALES = (totals(112_000, 140), totals(100_000, 125), typical(100_000, 125))
# The lowest contrast of any text to what is painted behind it, with that text.
LOWEST_CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = [99, ''];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), e = texts.currentNode.parentElement;
    if (!text || !e.getClientRects().length || e.closest('.preheader')) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < lowest[0]) lowest = [contrast, text];
  }
  return lowest;
}"""


# The titles of sections whose table is wider than its place.
PAST_THE_MARGIN = """() => [...document.querySelectorAll('table.figures')].filter(e => {
  const place = e.parentElement, room = parseFloat(getComputedStyle(place).paddingRight);
  return e.getBoundingClientRect().right > place.getBoundingClientRect().right - room + 0.5;
}).map(e => e.parentElement.querySelector('h2').textContent)"""
# Where the text of an element ends, whatever its box says.
WIDEST = (
    """e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect().right; }"""
)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """A mail with everything in it: long names, rises and falls, things that need attention."""
    names = ("Hartmann's Jellied Eels of Old Lichfield", "Kings of Kebabs", "Burrito Madness")
    trucks = rows(
        "truck_id", *((n, name, 9, 123_456_00, 9, 999_00, 9, 456_789_00) for n, name in enumerate(names)), label="truck"
    )
    attention = (Attention("silent", 0, names[0], f"{names[0]} has no sales"),)
    day = figures(*SALES, trucks=trucks, attention=attention)
    return browser_copy(build(executed(day, tmp_path_factory.mktemp("mail"))))


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """The month pack."""
    before = period.of("month", date(2025, 11, 1))
    day = figures(totals(13_876_904, 19_607), *SALES[1:], edition_name="cfo_month", usual_of=before, pack=pack())
    return browser_copy(build(executed(day, tmp_path_factory.mktemp("month"))))


def shown(tab: Page, html: str, width: int, dark: bool = False) -> None:
    """Show a mail in a window of this width, in a light or dark theme."""
    tab.set_viewport_size({"width": width, "height": 800})
    tab.emulate_media(color_scheme="dark" if dark else "light")
    tab.set_content(html)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 640, 1024])
@pytest.mark.parametrize("name", ["html", "month"])
def test_mail_fits_and_can_be_read(request, tab: Page, name, width, dark):
    shown(tab, request.getfixturevalue(name), width, dark)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.locator(".paper").bounding_box()["width"] <= 640
    assert tab.evaluate(PAST_THE_MARGIN) == []
    contrast, text = tab.evaluate(LOWEST_CONTRAST)
    assert contrast >= 4.5, text
    assert [image.is_visible() for image in tab.locator("img").all()] == [not dark, dark]


def test_large_figures_stay_in_their_tiles(tab: Page, month):
    shown(tab, month, 640)
    boxes = [tile.bounding_box() for tile in tab.locator(".tile").all()]
    ends = [figure.evaluate(WIDEST) for figure in tab.locator(".tile .figure").all()]
    assert len(boxes) == 4
    assert [end <= box["x"] + box["width"] for end, box in zip(ends, boxes, strict=True)] == [True] * 4


def test_mail_reads_without_style_blocks(tab: Page, html):
    shown(tab, re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL), 640)
    assert tab.locator(".paper").bounding_box()["width"] == 640
    assert tab.locator("h1").evaluate("e => getComputedStyle(e).fontSize") == "25px"
    assert [image.is_visible() for image in tab.locator("img").all()] == [True, False]
    assert tab.evaluate(LOWEST_CONTRAST)[0] >= 4.5


def test_mail_tells_its_figures_without_pictures(tab: Page, html):
    shown(tab, re.sub(r'src="data:[^"]*"', 'src="cid:blocked"', html), 390)
    image = tab.locator("img.light")
    assert "£1,120.00 over the day" in image.get_attribute("alt")
    assert image.evaluate("e => e.naturalWidth") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
