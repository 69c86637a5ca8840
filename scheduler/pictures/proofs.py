"""Takes pictures of every edition's mail, as mail clients show it, and of its PDF's pages: `make proofs`.

In three widths, light and dark, with pictures blocked and without style blocks. The reports are made from the database;
an empty one is first filled with two years of the demo's fleet, as the month pack compares years."""

import os
import re
import sys
from pathlib import Path

import sqlalchemy as sa

from scheduler import kernels
from scheduler.cli.output import say
from scheduler.cli.serving.demo import fill
from scheduler.cli.serving.lifecycle import EVERYTHING
from scheduler.cli.session import session
from scheduler.embedded.inbox import mailbox
from scheduler.pictures.screenshots import browser
from scheduler.queue import stages
from t3lib import warehouse
from t3lib.business_day import today
from t3lib.editions import Edition, editions
from t3lib.report.output import delivery, exporter, pdf
from t3lib.settings import settings

WIDTHS = (390, 640, 1024)
DAYS = 760
ADDRESS = "https://t3.example/"  # without an address of the dashboard, mails have no links to it
_STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
_PICTURE = re.compile(r'src="data:[^"]*"')


def main(folder: Path) -> None:
    """Write <edition>-<view>.png of each edition, its plain text, and <edition>-page-<n>.png of its PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("T3_DASHBOARD_URL", ADDRESS)
    settings.cache_clear()
    with session(*EVERYTHING):
        kernels.warm()
        with warehouse.connect() as db:
            empty = not db.scalar(sa.text("SELECT EXISTS (SELECT FROM mart.sales_hourly)"))
        if empty:
            fill(days=DAYS)
        for one in editions().values():
            _picture_edition(one, folder)
    say(f"The pictures are in {folder}.")


def _picture_edition(one: Edition, folder: Path) -> None:
    run = stages.run_report(one.latest(today()).last.isoformat(), one.name)
    html, eml, *_ = delivery.preview(run.path)
    (folder / f"{one.name}.txt").write_text(mailbox.text(mailbox.read(eml)), encoding="utf-8")
    shown = html.read_text(encoding="utf-8")
    for dark in (False, True):
        for width in WIDTHS:
            _picture(shown, folder / f"{one.name}-{width}{'-dark' if dark else ''}.png", width, dark)
    _picture(_PICTURE.sub('src="cid:blocked"', shown), folder / f"{one.name}-no-pictures.png", 640)
    _picture(_STYLE.sub("", shown), folder / f"{one.name}-no-styles.png", 640)
    if one.pdf:
        rendered = exporter.render(run.path)
        for n, png in enumerate(pdf.pages(rendered.notebook, rendered.envelope), 1):
            (folder / f"{one.name}-page-{n}.png").write_bytes(png)


def _picture(html: str, path: Path, width: int, dark: bool = False) -> None:
    with browser(width, 800, dark) as context:
        context.pages[0].set_content(html)
        context.pages[0].screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
