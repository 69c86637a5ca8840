"""Pictures of pages, taken with the system's Chromium."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Path of the system's Chromium, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browser(width: int = 1280, height: int = 900, dark: bool = False, scale: float = 1) -> Iterator[BrowserContext]:
    """A new Chromium with an empty profile. Raises RuntimeError when Chromium is not installed."""
    path = chromium()
    if path is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="t3-chromium-") as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=path,
            args=FLAGS,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            device_scale_factor=scale,
            locale="en-GB",
        )
        yield context
        context.close()


def settled(page: Page) -> None:
    """Wait until the widgets are shown and their charts are drawn."""
    page.wait_for_selector("html.t3-ready", timeout=60_000)
    page.wait_for_timeout(400)


def screenshot(
    url: str, path: Path, width: int = 1280, height: int = 900, *, dark: bool = False, full_page: bool = False
) -> Path:
    """Write a PNG of a page of T3; `full_page` includes what is below the window."""
    with browser(width, height, dark) as context:
        page = context.pages[0]
        page.goto(url, wait_until="commit")
        settled(page)
        page.screenshot(path=path, full_page=full_page)
    return path
