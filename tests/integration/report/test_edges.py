"""Unusual days, hostile names, and one figure wherever it is shown: read from the database to the mail."""

from datetime import date, timedelta
from email import message_from_bytes
from email.policy import SMTP, default
from io import BytesIO

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from t3lib import metrics, period, report, warehouse
from t3lib.dashboard import view as board_view
from t3lib.dashboard.html import tiles as board_tiles
from t3lib.dashboard.state import parse
from t3lib.report.links import dashboard
from t3lib.report.output.message import build
from t3lib.report.output.message_rules import breaches
from t3lib.settings import settings
from tests.support.reporting import executed

pytestmark = pytest.mark.slow  # it makes every edition of many days

FRIDAY = date(2026, 11, 20)
DAILY, ALL = (
    ("cfo", "culinary", "operations"),
    ("cfo", "culinary", "operations", "cfo_week", "culinary_week", "cfo_month"),
)
HOSTILE = "<img src=x onerror=alert(1)>\r\nBcc: everyone@example.com\x00\u202e=HYPERLINK(1)"


def execute(statement, **values):
    with warehouse.connect() as db:
        db.execute(sa.text(statement), values)


def sell(day, pence=700, count=3, hour=13, truck=1, payment="card", place=0):
    execute(
        "INSERT INTO mart.sales_hourly VALUES (:truck, :day, :hour, :place, :payment, :count, :pence)",
        day=day, pence=pence * count, count=count, hour=hour, truck=truck, payment=payment, place=place,
    )  # fmt: skip
    execute(
        """INSERT INTO mart.price_daily VALUES (:truck, :day, :price, :count)
           ON CONFLICT (truck_id, business_date, price_pence)
           DO UPDATE SET transactions = price_daily.transactions + EXCLUDED.transactions""",
        day=day, price=pence, count=count, truck=truck,
    )  # fmt: skip


def mail_of(day, edition, tmp_path):
    """The mail of an edition, as another program reads it, with every rule kept."""
    made = build(executed(report.read(day.isoformat(), edition), tmp_path))
    assert breaches(made) == []
    return message_from_bytes(made.as_bytes(policy=SMTP), policy=default)


def plain(message):
    return " ".join(message.get_body(("plain",)).get_content().split())


@pytest.mark.parametrize("edition", ALL)
def test_nothing_was_ever_sold(database, tmp_path, edition):
    assert "No sales are recorded for" in plain(mail_of(FRIDAY, edition, tmp_path))


@pytest.mark.parametrize("edition", ALL)
def test_first_day_ever_of_one_truck_without_any_other_file(database, tmp_path, edition):
    sell(FRIDAY)
    text = plain(mail_of(FRIDAY, edition, tmp_path))
    assert "to compare with yet" in text
    assert "3 sales" in text if edition != "cfo" else "£21.00 taken on Friday." in text
    assert "nan" not in text.lower().replace("finance", "")


@pytest.mark.parametrize("edition", ALL)
def test_nothing_is_sold_though_it_usually_is(database, tmp_path, edition):
    for week in range(1, 9):
        sell(FRIDAY - timedelta(weeks=week))
    day = FRIDAY if edition in DAILY else FRIDAY + timedelta(days=60)
    assert "No sales are recorded for" in plain(mail_of(day, edition, tmp_path))


def test_truck_alone_is_not_named_as_what_moved_the_day(database, tmp_path):
    for week in range(5):
        sell(FRIDAY - timedelta(weeks=week), count=3 + week)
    assert "largest change" not in plain(mail_of(FRIDAY, "cfo", tmp_path))


def test_bank_holiday_is_named_and_reported_like_any_day(database, tmp_path):
    christmas = date(2026, 12, 25)
    for week in range(5):
        sell(christmas - timedelta(weeks=week), count=1 if week == 0 else 10)
    text = plain(mail_of(christmas, "cfo", tmp_path))
    assert "£7.00 taken, 90% below a usual Friday. Friday was a bank holiday (Christmas Day)." in text


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 10, 24), "25 hours"), (date(2026, 3, 28), "23 hours")])
def test_day_of_a_clock_change_has_each_hour_once(database, tmp_path, day, hours):
    sell(day, hour=23)
    sell(day, hour=1)
    text = plain(mail_of(day, "cfo", tmp_path))
    assert hours in text
    assert text.count("1am £21.00") == 1


def test_hostile_names_reach_no_header_no_markup_and_no_formula(database, tmp_path, monkeypatch):
    monkeypatch.setenv("T3_DASHBOARD_URL", "https://figures.example/")
    settings.cache_clear()
    execute("INSERT INTO core.truck (truck_id, name) VALUES (1, :name), (2, 'Eels')", name=HOSTILE.replace("\x00", ""))
    execute("INSERT INTO core.location VALUES (1, :name)", name=HOSTILE.replace("\x00", ""))
    execute("INSERT INTO core.menu_item VALUES (1, :name, :name, 700, 250)", name=HOSTILE.replace("\x00", ""))
    execute("INSERT INTO core.pitch VALUES (1, 1, '2026-01-01', '2027-01-01')")
    execute(
        "INSERT INTO core.cost (truck_id, cost, amount, per, from_date) VALUES (1, :name, 9, 'day', '2026-01-01')",
        name=HOSTILE.replace("\x00", ""),
    )
    for week in range(5):
        sell(FRIDAY - timedelta(weeks=week), count=12 if week else 1, place=1)
        sell(FRIDAY - timedelta(weeks=week), truck=2)
    for edition in ALL:
        message = mail_of(FRIDAY, edition, tmp_path)
        html = message.get_body(("html",)).get_content()
        assert message["Bcc"] is None
        assert "<img src=x" not in html
        assert "\u202e" not in message.as_string() + html
        assert "\r\nBcc" not in message.get_body(("plain",)).get_content().replace("\n", "\r\n")
        csv = next(message.iter_attachments()).get_content()
        assert not [cell for line in csv.splitlines() for cell in line.split(",") if cell[:1] in ("=", "+", "@")]


def test_subject_that_an_analyst_breaks_stays_one_line(database, tmp_path):
    sell(FRIDAY)
    path = executed(report.read(FRIDAY.isoformat()), tmp_path)
    path.write_text(
        path.read_text().replace("T3 Morning figures", "T3\\r\\nBcc: everyone@example.com\\r\\n\\r\\nfigures")
    )
    message = message_from_bytes(build(path).as_bytes(policy=SMTP), policy=default)
    assert message["Bcc"] is None
    assert "Bcc: everyone@example.com figures" in message["Subject"]


def test_headline_is_one_figure_in_html_text_csv_pdf_dashboard_and_sql(database, tmp_path, monkeypatch):
    own = (settings().editions).read_text().replace("pdf = false", "pdf = true")
    (tmp_path / "own.toml").write_text(own)
    monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "own.toml"))
    monkeypatch.setenv("T3_DASHBOARD_URL", "https://figures.example/")
    settings.cache_clear()
    execute("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, 'Eels')")
    for number, truck in enumerate((1, 1, 2)):
        sell(FRIDAY, pence=799 + 100 * number, count=7, hour=11 + number, truck=truck)
    with warehouse.connect() as db:
        pence = db.scalar(sa.text("SELECT sum(total_pence) FROM mart.sales_hourly WHERE business_date = '2026-11-20'"))
        state = parse(dashboard(period.of("day", FRIDAY)).partition("?")[2])
        shown = "".join(board_tiles.tiles(board_view.read(db, state)))
        assert metrics.totals(db, metrics.Scope(FRIDAY, FRIDAY)).gross_sales_pence == pence == 18_879
    message = mail_of(FRIDAY, "cfo", tmp_path)
    parts = {part.get_content_type(): part for part in message.iter_attachments()}
    pdf = " ".join(page.extract_text() for page in PdfReader(BytesIO(parts["application/pdf"].get_content())).pages)
    assert "£188.79" in message["Subject"]
    assert message["X-T3-Gross-Sales-Pence"] == "18879"
    assert "£188.79 taken on Friday." in message.get_body(("html",)).get_content()
    assert "£188.79 taken on Friday." in plain(message)
    assert "All trucks,21,,,188.79,," in parts["text/csv"].get_content()
    assert "£188.79 taken on Friday." in " ".join(pdf.split())
    assert "£188.79" in shown
