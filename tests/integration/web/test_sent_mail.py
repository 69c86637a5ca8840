"""The archive of the mails beside the dashboard: what was sent and nothing else, behind the page's rules."""

import re
import urllib.error
import urllib.request
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.web import sent_mail
from t3lib import mail, warehouse
from t3lib.report.output.message import build
from t3lib.settings import settings
from t3lib.warehouse.db import roles
from tests.conftest import PASSWORDS
from tests.integration.web.conftest import TOKEN, TOKENS
from tests.support.reporting import executed, figures, totals, typical

pytestmark = pytest.mark.slow  # it starts servers
DAY = date(2026, 11, 20)
SALES = (totals(112_000, 140), totals(100_000, 125), typical(100_000, 125))


@pytest.fixture
def sent(database, tmp_path):
    return send(tmp_path)


def send(tmp_path, database=None):
    """A report that left for two readers, one that failed, a mail to the operators; the mail_id that is shown."""
    message = build(executed(figures(*SALES), tmp_path))
    key: dict[str, Any] = {"report": "daily", "business_date": DAY, "edition": "cfo"}
    with warehouse.connect(database) as db:
        first, _ = (mail.prepare(db, message, to, **key) for to in ("hiram@t3.example", "deputy@t3.example"))
        lost = mail.prepare(db, message, "x@t3.example", **key | {"edition": "culinary"})
        notified = mail.notify_operators(db, "ingest 1", DAY, "ingest failed", "A secret of the operators.")
        db.execute(sa.text("UPDATE ops.mail_outbox SET state = 'sent'"))
        db.execute(sa.text("UPDATE ops.mail_outbox SET state = 'failed' WHERE mail_id = :lost"), {"lost": lost})
    return first, [lost, *notified]


@pytest.fixture
def as_dashboard(sent, database, monkeypatch):
    """The rights of the dashboard's role, and no others."""
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
    monkeypatch.setenv("T3_DATABASE_URL", roles.urls(database, PASSWORDS)["database_url_dashboard"])
    settings.cache_clear()
    yield sent
    warehouse.engine(settings().need("database_url")).dispose()


def test_one_copy_of_what_left_is_listed_and_no_reader_is_named(as_dashboard):
    first, others = as_dashboard
    page = sent_mail.list_page()
    assert re.findall(r'href="mails/(\d+)"', page) == [str(first)]
    assert "Morning figures" in page
    assert "t3.example" not in page + sent_mail.mail_page(first) + sent_mail.mail_html(first).replace(
        "operations@t3.example", ""
    )
    assert [sent_mail.mail_page(mail_id) for mail_id in others] == [None] * len(others)


def test_the_browser_copy_is_what_was_sent(as_dashboard):
    first, _ = as_dashboard
    shown = sent_mail.mail_html(first)
    assert "£1,120.00 taken, 12% above a usual Friday." in shown
    assert shown.count('src="data:image/png;base64,') == 2
    assert '<base target="_blank">' in shown


def test_a_list_of_one_edition_holds_no_other(as_dashboard):
    assert "mails/" not in sent_mail.list_page("culinary").split("t3-copy")[1].replace("mails?", "")
    assert 'href="mails/' in sent_mail.list_page("cfo")


def test_the_archive_is_behind_the_rules_of_the_dashboard(served, tmp_path):
    page = served(TOKENS)
    first, others = send(tmp_path, page.database)
    for path in ("mails", f"mails/{first}", f"mails/{first}/html", f"mails/{first}/part/0"):
        assert "£1,120.00" not in got(page.url + path)[1], "nobody signed in"
        status, text, headers = got(page.url + path, Authorization=f"token {TOKEN}")
        assert (status, "£1,120.00" in text or "1120.00" in text) == (200, True)
        assert headers["Cache-Control"] == "no-store"
    _, _, headers = got(f"{page.url}mails/{first}/html", Authorization=f"token {TOKEN}")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    _, csv, headers = got(f"{page.url}mails/{first}/part/0", Authorization=f"token {TOKEN}")
    assert "All trucks,140,125,125,1120.00" in csv
    assert headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''t3-2026-11-20-cfo.csv")
    for path in (f"mails/{others[0]}", f"mails/{first}/part/7", "mails/999999999999"):
        assert got(page.url + path, Authorization=f"token {TOKEN}")[0] == 404
    assert 'href="/mails">Reports by mail' in got(page.url, Authorization=f"token {TOKEN}")[1]


def got(url, **headers):
    """(status, text, headers) of an address."""
    asked = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read().decode(errors="replace"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace"), error.headers
