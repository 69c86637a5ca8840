"""JupyterLab as a person uses it: a notebook is opened, edited, run and saved in a real browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from scheduler.pictures.screenshots import browser

# The text below all cells, also of those that are scrolled away; cells of tables side by side.
_SHOWN = """
() => [...document.querySelectorAll(".jp-OutputArea-output")].map(shown => {
    const lines = [...shown.querySelectorAll("tr")].map(line => [...line.children].map(cell => cell.textContent));
    shown = shown.cloneNode(true);
    shown.querySelectorAll("table, style").forEach(table => table.remove());
    return [shown.textContent, ...lines.map(line => line.join("\\t"))].join("\\n");
}).join("\\n")
"""
_SECONDS = 120_000  # a loaded machine is slow, not wrong


@dataclass
class Effort:
    """What a person does to edit notebooks: clicks and keys, and characters that they type or delete."""

    actions: int = 0
    characters: int = 0

    @staticmethod
    def seconds(actions: int, characters: int, words: int) -> float:
        """How long a person takes: 5 seconds for a click or a key, 200 characters and 200 words read a minute."""
        return 5 * actions + 60 * characters / 200 + 60 * words / 200


class Lab:
    """`t3 lab` of a clone, whose start runs beside the reader's other commands, and the one notebook that is open."""

    def __init__(self, clone: Path, env: dict[str, str]) -> None:
        self._clone, self._said, self.effort = clone, clone.parent / "lab.out", Effort()
        with self._said.open("wb") as out:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "scheduler.cli", "lab"], cwd=clone, env=env, stdout=out,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    @contextmanager
    def open(self, path: str) -> Iterator["Notebook"]:
        """A notebook in a new browser; it is saved at the end."""
        with browser(1280, 1000) as context:
            page = context.new_page()
            page.set_default_timeout(_SECONDS)
            page.goto(self._url(page).replace("/lab/tree/notebooks", f"/lab/workspaces/reader/tree/{path}"))
            expect(page.get_by_text("T3 | Idle")).to_be_visible(timeout=_SECONDS)
            self.effort.actions += 1  # a double click on its name
            notebook = Notebook(page, self._clone / path, self.effort)
            yield notebook
            notebook.save()

    def close(self) -> None:
        """End the server as Ctrl-C does."""
        self._server.terminate()
        self._server.wait(30)

    def _url(self, page: Page) -> str:
        for _ in range(600):
            if found := re.search(r"http://\S+token=\w+", self._said.read_text()):
                return found[0]
            assert self._server.poll() is None, self._said.read_text()
            page.wait_for_timeout(100)
        raise AssertionError(f"JupyterLab did not start: {self._said.read_text()}")


class Notebook:
    """An open notebook; each method counts the clicks and keys of a person."""

    def __init__(self, page: Page, path: Path, effort: Effort) -> None:
        self.page, self._path, self._effort = page, path, effort

    def add_below(self, line: str, source: str) -> None:
        """Put a new cell below the one that has this line: Esc, B."""
        self._click(self._cell(line).locator(".jp-InputPrompt"))
        self._press("b", "Enter")
        self._type(source.strip())
        self._press("Escape")

    def add_line(self, line: str, source: str) -> None:
        """Put a line below another one of a cell."""
        self._click(self._cell(line).locator(".cm-line", has_text=line).first)
        self._press("End", "Enter")
        self._type(source.strip())
        self._press("Escape")

    def replace(self, line: str, by: str) -> None:
        """Write another line instead of one; a person clicks where it differs, and types or deletes only that."""
        self._click(self._cell(line).locator(".cm-line", has_text=line).first)
        for key in ("Home", "Shift+End"):
            self.page.keyboard.press(key)
        self.page.keyboard.insert_text(by.strip())
        self._press("Escape")
        code = by.partition("  #")[0].strip()
        kept = _shared(line, code)
        end = _shared(line[kept:][::-1], code[kept:][::-1])
        self._effort.characters += len(code) - kept - end + len(line) - kept - end

    def run_all(self) -> str:
        """Restart Kernel and Run All Cells; everything that stands below the cells then."""
        self._click(self.page.get_by_role("menuitem", name="Kernel", exact=True))
        self._click(self.page.get_by_role("menuitem", name="Restart Kernel and Run All Cells…"))
        self._click(self.page.locator(".jp-Dialog button.jp-mod-accept"))
        last = self.page.locator(".jp-CodeCell").last
        expect(last.locator(".jp-OutputArea-output").first).to_be_attached(timeout=_SECONDS)
        return str(self.page.evaluate(_SHOWN))

    def save(self) -> None:
        """Ctrl S, and wait until the file is written."""
        before = self._path.stat().st_mtime_ns
        self._press("Control+s")
        for _ in range(200):
            if self._path.stat().st_mtime_ns != before and self._path.stat().st_size:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{self._path} was not saved")

    def _click(self, place: Locator) -> None:
        place.click()
        self._effort.actions += 1

    def _press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self._effort.actions += 1

    def _type(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self._effort.characters += len(text)

    def _cell(self, line: str) -> Locator:
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-line", has_text=line)).first


def _shared(one: str, two: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
