"""Visitors of a page in real Chromium: each has a context, and so a cache and connections, of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from scheduler.pictures.screenshots import FLAGS, chromium

TIMEOUT_MS = 120_000

# Records in the page, by its own clock, when the first figure was there and when the page was live.
_WATCH = """
(() => {
  const seen = window.seen = {first: null, live: null, figure: ''};
  const look = () => {
    const found = document.querySelector(FIRST), figure = found && found.textContent.trim();
    if (seen.first === null && figure) Object.assign(seen, {first: performance.now(), figure});
    if (seen.live === null && seen.first !== null && (LIVE)) seen.live = performance.now();
    if (seen.live === null) return;
    clearInterval(timer);
    watch.disconnect();
    document.documentElement.dataset.seen = 'live';
  };
  const watch = new MutationObserver(look);
  watch.observe(document, {subtree: true, childList: true, attributes: true});
  const timer = setInterval(look, 20);
})();
"""
# Milliseconds from a choice until the page shows its figure.
_CHOOSE = """
([choices, name, figure, wanted]) => new Promise((done, failed) => {
  const begin = performance.now();
  const look = () => {
    const found = document.querySelector(figure);
    if (!found || found.textContent.trim() !== wanted || !(SETTLED)) return;
    watch.disconnect();
    clearInterval(timer);
    done(performance.now() - begin);
  };
  const watch = new MutationObserver(look);
  watch.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  const timer = setInterval(look, 20);
  setTimeout(() => failed(new Error('no ' + wanted)), 60000);
  [...document.querySelectorAll(choices)].find((found) => found.textContent.trim() === name).click();
})
"""
# What a page that is not live shows instead.
_STATE = """
JSON.stringify([document.title, document.readyState, document.documentElement.className, window.seen,
                document.body.innerText.slice(0, 200),
                performance.getEntriesByType('resource').filter((one) => !one.responseEnd).map((one) => one.name)])
"""


@dataclass(frozen=True)
class Site:
    """A page to visit: where its first figure is, when it is live, what chooses a truck and what then changes."""

    url: str
    first: str
    live: str
    choices: str
    figure: str
    settled: str


@dataclass(frozen=True)
class Visit:
    """Seconds to the first figure and to the live page; the figure, empty if the page never became live."""

    first: float
    live: float
    figure: str


class Visitors:
    """Visitors with a browser context each, who have opened the page before."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser, self.site = browser, site
        self._contexts: list[BrowserContext] = []
        self.pages: list[Page] = []

    async def gather(self, count: int) -> None:
        """Have so many visitors; each new one opens the page once, so that its static files are cached."""
        watch = _WATCH.replace("FIRST", repr(self.site.first)).replace("LIVE", self.site.live)
        while len(self._contexts) < count:
            context = await self._browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
            await context.add_init_script(watch)
            self._contexts.append(context)
            page = await context.new_page()
            await self._open(page)
            await page.close()

    async def arrive(self, count: int) -> tuple[float, list[Visit]]:
        """All open the page at the same moment: seconds until the last one is live, and each visit."""
        self.pages = [await context.new_page() for context in self._contexts[:count]]
        await asyncio.sleep(1)  # measure an open browser, not its start
        begin = time.perf_counter()
        found = await asyncio.gather(*(self._open(page) for page in self.pages))
        return time.perf_counter() - begin, list(found)

    async def choose(self, wanted: list[tuple[str, str]]) -> list[float]:
        """Each visitor chooses a (name, figure) at the same moment: seconds until each page shows its figure."""
        site = self.site
        chosen = (
            page.evaluate(_CHOOSE.replace("SETTLED", site.settled), [site.choices, name, site.figure, figure])
            for page, (name, figure) in zip(self.pages, wanted, strict=True)
        )
        return [taken / 1000 for taken in await asyncio.gather(*chosen)]

    async def sees(self, wanted: str) -> float:
        """The moment (perf_counter) at which the first visitor's page shows a figure."""
        await expect(self.pages[0].locator(self.site.figure)).to_have_text(wanted, timeout=TIMEOUT_MS)
        return time.perf_counter()

    async def leave(self) -> None:
        """Close all pages."""
        await asyncio.gather(*(page.close() for page in self.pages))
        self.pages = []

    async def _open(self, page: Page) -> Visit:
        await page.goto(self.site.url, wait_until="commit", timeout=TIMEOUT_MS)
        try:
            await page.wait_for_selector("html[data-seen]", state="attached", timeout=TIMEOUT_MS)
        except PlaywrightError:
            print(f"Not live: {await page.evaluate(_STATE)}")
            return Visit(float("inf"), float("inf"), "")
        seen = await page.evaluate("window.seen")
        return Visit(seen["first"] / 1000, seen["live"] / 1000, seen["figure"])


@asynccontextmanager
async def chromes(site: Site) -> AsyncIterator[Visitors]:
    """A Chromium for visitors of a site."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield Visitors(browser, site)
        await browser.close()


def pss(pid: int) -> float:
    """Megabytes of a process and its descendants; shared pages are divided among the processes that share them."""
    process = psutil.Process(pid)
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20
