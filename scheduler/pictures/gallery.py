"""Takes pictures of every tab of the dashboard at every size and in both themes, for review: `make gallery`."""

import sys
from pathlib import Path

from scheduler.cli.output import say
from scheduler.cli.serving.demo import fill
from scheduler.cli.serving.lifecycle import EVERYTHING
from scheduler.cli.session import session
from scheduler.pictures.screenshots import browser, settled
from scheduler.web import processes
from t3lib.dashboard.state import TABS

WIDTHS, HEIGHT = (390, 768, 1280, 1920), 900


def main(folder: Path) -> None:
    """Write one PNG per tab, width and theme into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with session(*EVERYTHING), processes.page("dashboard") as board:
        fill(days=56)
        for dark in (False, True):
            for width in WIDTHS:
                _pictures(board.url, folder, width, dark)
    say(f"{len(WIDTHS) * 2 * len(TABS)} pictures are in {folder}.")


def _pictures(url: str, folder: Path, width: int, dark: bool) -> None:
    with browser(width, HEIGHT, dark) as context:
        page = context.pages[0]
        for tab in TABS:
            page.goto(f"{url}?range=4weeks&tab={tab}", wait_until="commit")
            settled(page)
            page.screenshot(path=folder / f"{tab}-{width}{'-dark' if dark else ''}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
