"""How every edition looks: `make proofs` takes pictures of the mails as clients show them, and of the PDFs' pages.

Narrow, usual and wide, light and dark, with pictures blocked, without style blocks. It reports of what the database
holds; an empty one gets the demonstration's fleet first, with two years behind it, as the month pack compares years."""

import os
import re
import sys
from pathlib import Path

import sqlalchemy as sa

from scheduler import kernels
from scheduler.cli.output import say
from scheduler.cli.serving.demo import fill
from scheduler.cli.serving.shared import EVERYTHING
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
ADDRESS = "https://t3.example/"  # mails have links into the dashboard only where it has an address
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
            _prove(one, folder)
    say(f"The proofs lie in {folder}.")


def _prove(one: Edition, folder: Path) -> None:
    run = stages.run_report(one.latest(today()).last.isoformat(), one.name)
    html, eml, *_ = delivery.preview(run.path)
    (folder / f"{one.name}.txt").write_text(mailbox.text(mailbox.read(eml)))
    shown = html.read_text()
    for dark in (False, True):
        for width in WIDTHS:
            _shoot(shown, folder / f"{one.name}-{width}{'-dark' if dark else ''}.png", width, dark)
    _shoot(_PICTURE.sub('src="cid:blocked"', shown), folder / f"{one.name}-no-pictures.png", 640)
    _shoot(_STYLE.sub("", shown), folder / f"{one.name}-no-styles.png", 640)
    if one.pdf:
        rendered = exporter.render(run.path)
        for n, png in enumerate(pdf.pages(rendered.notebook, rendered.envelope), 1):
            (folder / f"{one.name}-page-{n}.png").write_bytes(png)


def _shoot(html: str, path: Path, width: int, dark: bool = False) -> None:
    with browser(width, 800, dark) as context:
        context.pages[0].set_content(html)
        context.pages[0].screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
