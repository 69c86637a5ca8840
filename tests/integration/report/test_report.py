"""The report from rows in the database to a mail read back from an SMTP server."""

from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from t3lib import mail, metrics, report, warehouse
from t3lib.metrics.money.contribution import contribution
from t3lib.metrics.sales import breakdown
from t3lib.report.output.delivery import prepare_report, preview
from t3lib.report.output.exporter import ReportError
from t3lib.report.output.message import build
from t3lib.settings import SettingsError, settings
from t3lib.warehouse.db import roles
from t3lib.warehouse.sales import rollups
from tests.conftest import PASSWORDS
from tests.support.mailbox import mailbox
from tests.support.reporting import executed

DAY = date(2026, 11, 20)
SCOPE = metrics.Scope(DAY, DAY)


@pytest.fixture
def sales(database):
    """Two trucks on a Friday and the Friday before: 3 x £7.00 by card and 1 x £5.00 in cash, then one £7.00 less."""
    execute("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness'), (2, 'SuperSmoothie')")
    for day, burritos in ((DAY, 3), (DAY - timedelta(7), 2)):
        execute(
            f"""INSERT INTO mart.sales_hourly VALUES (1, '{day}', 13, 0, 'card', {burritos}, {700 * burritos}),
                                                     (2, '{day}', 14, 0, 'cash', 1, 500)"""
        )
        execute(f"INSERT INTO mart.price_daily VALUES (1, '{day}', 700, {burritos}), (2, '{day}', 500, 1)")


@pytest.fixture
def sent():
    """Says of every mail that it left."""
    return lambda: execute("UPDATE ops.mail_outbox SET state = 'sent', finished_at = now()")


def execute(statement):
    with warehouse.connect() as db:
        db.execute(sa.text(statement))


def test_day_is_read_with_what_it_compares_to(sales):
    day = report.read("2026-11-20")
    assert (day.sales.gross_sales_pence, day.before.gross_sales_pence, day.usual.weeks) == (2_600, 1_900, 1)
    trucks = day.compared(metrics.by_truck)
    assert trucks["gross_sales_pence"].tolist() == [2_100, 500]
    assert trucks["gross_sales_pence_usual"].tolist() == [1_400, 500]
    assert day.compared(metrics.by_hour)["local_hour"].tolist() == [13, 14]


def test_first_day_compares_with_nothing(sales):
    day = report.read("2026-11-13")
    assert (day.before, day.usual) == (None, None)
    assert day.compared(metrics.by_truck)["gross_sales_pence_usual"].isna().all()


def test_sections_see_no_load_that_came_after_the_report_was_begun(sales):
    day = report.read("2026-11-20")
    execute(f"UPDATE mart.sales_hourly SET total_pence = 9900 WHERE truck_id = 1 AND business_date = '{DAY}'")
    assert day.compared(metrics.by_truck)["gross_sales_pence"].sum() == day.sales.gross_sales_pence == 2_600
    day.figures.close()
    assert report.read("2026-11-20").sales.gross_sales_pence == 10_400


def test_a_section_may_change_its_own_table_only(sales):
    day = report.read("2026-11-20")
    trucks = day.compared(metrics.by_truck)
    trucks["gross_sales_pence"] = 0
    assert day.compared(metrics.by_truck)["gross_sales_pence"].sum() == 2_600


def test_limits_of_editions_hold_for_reports_and_dashboard(sales, tmp_path, monkeypatch, db):
    told = [(one.kind, one.truck) for one in metrics.attention(db, DAY)]
    text = settings().editions.read_text()
    (tmp_path / "own.toml").write_text(text.replace("fewest_weeks = 3", "fewest_weeks = 1"))
    monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "own.toml"))
    settings.cache_clear()
    assert told == []
    assert [(one.kind, one.truck) for one in metrics.attention(db, DAY)] == [("sales_high", "Burrito Madness")]
    mail = build(executed(report.read("2026-11-20"), tmp_path)).get_body(("plain",)).get_content()
    assert "* Burrito Madness took £21.00, 50% above its usual £14.00." in " ".join(mail.split())


def test_empty_date_is_yesterday(database):
    assert report.read().business_date == report.day.business_day.today() - timedelta(1)


def test_empty_warehouse_has_a_report(database, tmp_path):
    message = executed(report.read("2026-11-20"), tmp_path)
    assert "No sales are recorded for Friday 20 November." in preview(message)[0].read_text()


def test_same_figure_in_html_text_csv_and_sql(sales, tmp_path):
    html, eml = preview(executed(report.read("2026-11-20"), tmp_path))
    message = message_from_bytes(eml.read_bytes(), policy=default)
    with warehouse.connect() as db:
        pence = db.execute(
            sa.text("SELECT sum(total_pence) FROM mart.sales_hourly WHERE business_date = :day"), {"day": DAY}
        ).scalar()
    assert pence == 2_600
    assert "£26.00 taken, 37% above last Friday." in html.read_text()
    assert "£26.00 taken, 37% above last Friday." in message.get_body(("plain",)).get_content()
    assert "All trucks,4,3,3,26.00,19.00,19.00" in next(message.iter_attachments()).get_content()


def test_every_recipient_gets_one_mail_once(sales, tmp_path, monkeypatch):
    copy = executed(report.read("2026-11-20"), tmp_path)
    with mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        monkeypatch.setenv("T3_RECIPIENTS_CFO", "hiram@t3.example,deputy@t3.example")
        settings.cache_clear()
        assert prepare_report(copy, DAY, "cfo", "run 1") == prepare_report(copy, DAY, "cfo", "run 2")
        assert mail.send_due()["sent"] == 2
        assert mail.send_due()["sent"] == 0
    assert sorted(to for to, _ in box.received) == ["deputy@t3.example", "hiram@t3.example"]
    message = message_from_bytes(box.received[0][1], policy=default)
    assert "£26.00" in message["Subject"]
    assert "£26.00 taken" in message.get_body(("html",)).get_content()


def test_one_bad_address_does_not_cost_the_others_their_report(sales, tmp_path, monkeypatch):
    with mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        monkeypatch.setenv("T3_RECIPIENTS_CFO", "bad@,good@t3.example,Good@T3.example,info@bücher.example")
        monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", "bad@,ops@bücher.example")
        monkeypatch.setenv("T3_MAIL_FROM", "T3, Reports <reports@t3.example>")
        settings.cache_clear()
        mails = prepare_report(executed(report.read("2026-11-20"), tmp_path), DAY, "cfo")
        mail.send_due()
    with warehouse.connect() as db:
        states = {found.recipient: found.state for found in (mail.read(db, one)[0] for one in mails)}
    assert states == {"bad@": "failed", "good@t3.example": "sent", "info@xn--bcher-kva.example": "sent"}
    [message] = [message_from_bytes(content, policy=default) for to, content in box.received if to.startswith("good")]
    assert message["List-Unsubscribe"] == "<mailto:ops@xn--bcher-kva.example?subject=unsubscribe>"
    assert [one.addr_spec for one in message["From"].addresses] == ["reports@t3.example"]


def test_mailer_role_is_enough(sales, tmp_path, database, monkeypatch):
    with warehouse.connect() as db:
        roles.ensure(db, PASSWORDS)
    url = roles.urls(database, PASSWORDS)["database_url_mailer"]
    prepare_report(executed(report.read("2026-11-20", url=url), tmp_path), DAY, "cfo", url=url)
    with mailbox() as box:
        monkeypatch.setenv("T3_SMTP_URL", box.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        settings.cache_clear()
        assert mail.send_due(warehouse.engine(url))["sent"] == 1
    warehouse.engine(url).dispose()


def test_figures_that_moved_make_a_second_mail_and_the_same_ones_none(sales, tmp_path, sent):
    [first] = prepare_report(executed(report.read("2026-11-20"), tmp_path), DAY, "cfo")
    sent()
    execute(f"UPDATE mart.sales_hourly SET total_pence = 2800 WHERE truck_id = 1 AND business_date = '{DAY}'")
    copy = executed(report.read("2026-11-20"), tmp_path)
    [second] = prepare_report(copy, DAY, "cfo")
    assert prepare_report(copy, DAY, "cfo") == [second] != [first]
    with warehouse.connect() as db:
        (before, _), (_, content) = mail.read(db, first), mail.read(db, second)
    corrected = message_from_bytes(content, policy=default)
    assert corrected["References"] == corrected["In-Reply-To"] == before.message_id
    assert corrected["Subject"].endswith("(corrected)")
    text = " ".join(corrected.get_body(("plain",)).get_content().split())
    assert "£33.00 taken" in text
    assert "said £26.00 from 4 sales; files or rows have changed since." in text


def test_copy_of_another_day_is_refused(sales, tmp_path):
    copy = executed(report.read("2026-11-13"), tmp_path)
    with pytest.raises(ReportError, match="cfo edition of 2026-11-13"):
        prepare_report(copy, DAY, "cfo")


def test_edition_without_readers_is_refused(sales, tmp_path, monkeypatch):
    monkeypatch.setenv("T3_RECIPIENTS_CFO", ",")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="T3_RECIPIENTS_CFO"):
        prepare_report(executed(report.read("2026-11-20"), tmp_path), DAY, "cfo")


def test_prices_and_menus_are_compared(sales, db):
    execute("INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Mexican', 700, 250)")
    prices = breakdown.compared(breakdown.by_price_point, "price_pence", db, SCOPE)
    assert prices[["price_pence", "transactions", "transactions_usual"]].to_numpy().tolist() == [
        [700, 3, 2],
        [500, 1, 1],
    ]
    assert prices["transactions_share_pct"].tolist() == [75.0, 25.0]
    menus = breakdown.by_menu_type(db, SCOPE)
    assert menus["menu_type"].tolist() == ["Mexican", "Not on the menu"]


def test_places_know_their_busiest_hour(sales, db):
    [place] = breakdown.by_place(db, SCOPE).to_dict("records")
    assert (place["location"], place["transactions"], place["busiest_hour"]) == ("Place not recorded", 4, 13)


def test_contribution_takes_each_cost_as_it_is_meant(sales, db):
    """£26.00: VAT £4.33, card fee 2 % of £21.00, £0.10 x 4 sales, wages £5.00 for the truck out, rent £30.00 / 30."""
    execute("""INSERT INTO core.cost (truck_id, cost, amount, per, from_date, to_date) VALUES
        (NULL, 'vat', 20, 'percent', '2026-01-01', DEFAULT), (NULL, 'card_fee', 9, 'percent', '2026-01-01', DEFAULT),
        (1, 'card_fee', 2, 'percent', '2026-01-01', DEFAULT), (NULL, 'packaging', 10, 'sale', '2026-01-01', DEFAULT),
        (1, 'wages', 400, 'day', '2026-01-01', '2026-11-01'), (1, 'wages', 500, 'day', '2026-11-01', DEFAULT),
        (3, 'wages', 900, 'day', '2026-01-01', DEFAULT), (NULL, 'office', 3000, 'month', '2026-01-01', DEFAULT),
        (NULL, 'ended', 700, 'day', '2026-01-01', '2026-11-20'), (NULL, 'later', 900, 'day', '2026-11-21', DEFAULT)""")
    execute("INSERT INTO core.menu_item VALUES (1, 'Burrito', 'Mexican', 700, 250)")
    with warehouse.connect() as changed:
        rollups.value_goods(changed, DAY, DAY)
    found = contribution(db, SCOPE)
    assert found.costs == {
        "Cost of goods": 750, "wages": 500, "vat": 433, "office": 100, "card_fee": 42, "packaging": 40,
    }  # fmt: skip
    assert found.contribution_pence == 2_600 - 1_865
    assert found.without_goods_pence == 500


def test_days_that_changed_since_the_mail_before_are_known(sales):
    """Wednesday changed twice on the report's Friday; Thursday back and forth; Friday itself is today's figure."""
    for made_at, day, before, after in (
        ("2026-11-20 09:00+00", "2026-11-18", 1_000, 1_500),
        ("2026-11-21 02:00+00", "2026-11-18", 1_500, 1_400),
        ("2026-11-20 09:00+00", "2026-11-19", 1_000, 1_500),
        ("2026-11-20 10:00+00", "2026-11-19", 1_500, 1_000),
        ("2026-11-20 10:00+00", "2026-11-20", 1_500, 1_000),
        ("2026-11-20 03:00+00", "2026-11-17", 1_500, 1_000),
    ):
        execute(f"""INSERT INTO ops.restatement (made_at, cause, truck_id, business_date, rows_before, rows_after,
                                                 pence_before, pence_after, keys)
                    VALUES ('{made_at}', 'late_file', 1, '{day}', 1, 1, {before}, {after}, '{{}}')""")
    [row] = report.read("2026-11-20").restated.to_dict("records")
    assert (row["business_date"], row["pence_change"], row["causes"]) == (date(2026, 11, 18), 400, ["late_file"])


def test_no_costs_is_no_contribution(sales, db):
    assert contribution(db, SCOPE) is None
