"""Takes the README's pictures, with data of the demo: `make images`."""

import email
import email.policy
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from scheduler.cli.output import say
from scheduler.cli.serving.demo import fill
from scheduler.cli.serving.lifecycle import EVERYTHING
from scheduler.cli.session import session
from scheduler.pictures.screenshots import browser, screenshot
from scheduler.web import processes
from t3lib import mail, warehouse
from t3lib.business_day import today
from t3lib.report.output.delivery import browser_copy

MAIL_WIDTH = 720


def main(folder: Path) -> None:
    """Write dashboard.png and mail.png into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with session(*EVERYTHING), processes.page("dashboard") as board:
        fill(days=56)
        screenshot(f"{board.url}?range=4weeks", folder / "dashboard.png", 1280, 900)
        _mail(folder / "mail.png")
    say(f"dashboard.png and mail.png are in {folder}.")


def _mail(path: Path) -> None:
    with warehouse.connect() as db:
        number = db.scalar(
            sa.text("""
                SELECT mail_id FROM ops.mail_outbox
                WHERE report = 'daily' AND edition = 'cfo' AND business_date = :day
                ORDER BY revision DESC LIMIT 1
            """),
            {"day": today() - timedelta(days=1)},
        )
        _, message = mail.read(db, number)
    with (
        tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as page,
        browser(MAIL_WIDTH, 900) as context,
    ):
        page.write(browser_copy(email.message_from_bytes(message, policy=email.policy.default)))
        page.flush()
        context.pages[0].goto(Path(page.name).as_uri())
        context.pages[0].screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
