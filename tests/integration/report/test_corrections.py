"""Figures that change after they were sent: operators are notified, or a correction is sent, if it matters."""

import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from scheduler.queue import stages
from scheduler.worker import leader
from t3lib import business_day, mail, report, warehouse
from t3lib.editions import editions
from t3lib.mail.outbox import MailError
from t3lib.metrics.money.margins import contributions
from t3lib.report import corrections
from t3lib.report.output.delivery import prepare_report, prepare_trial
from t3lib.settings import ROOT, SettingsError, settings
from t3lib.warehouse.load import dated
from t3lib.warehouse.load.dated import Cause, Version
from tests.support.reporting import executed

pytestmark = pytest.mark.slow  # it makes many reports

DAY = business_day.today() - timedelta(days=1)


@pytest.fixture
def sent(box, tmp_path):
    """Yesterday's £100.00 from 10 sales, mailed to the CFO."""
    execute("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness')")
    execute(f"INSERT INTO mart.sales_hourly VALUES (1, '{DAY}', 13, 0, 'card', 10, 10000)")
    execute(f"INSERT INTO mart.price_daily VALUES (1, '{DAY}', 1000, 10)")
    prepare_report(executed(report.read(DAY.isoformat()), tmp_path), DAY, "cfo", "run 1")
    assert mail.send_due()["sent"] == 1
    return box


def execute(statement):
    with warehouse.connect() as db:
        db.execute(sa.text(statement))


def restate(pence, transactions=10, day=DAY):
    """The figures of a day become these, and it is recorded that they did."""
    execute(f"UPDATE mart.sales_hourly SET total_pence = {pence}, transactions = {transactions}")
    execute(f"""INSERT INTO ops.restatement (cause, truck_id, business_date, rows_before, rows_after, pence_before,
                                             pence_after, keys)
                VALUES ('late_file', 1, '{day}', 10, {transactions}, 10000, {pence}, '{{}}')""")


def moved(after=timedelta(hours=1), settle=600):
    with warehouse.connect() as db:
        return corrections.moved(db, datetime.now(UTC) + after, settle_seconds=settle)


def corrected(tmp_path, ask=True):
    """mail_ids of what a worker makes of a moved report."""
    copy = executed(report.read(DAY.isoformat()), tmp_path)
    return stages.prepare_mails("run 2", str(copy), DAY.isoformat(), "cfo", ask=ask)


def stored(mail_id):
    with warehouse.connect() as db:
        found, content = mail.read(db, mail_id)
    return found, message_from_bytes(content, policy=default)


def edited(monkeypatch, tmp_path, **changes):
    """The editions of the repository with other texts in them."""
    text = (ROOT / "notebooks" / "editions.toml").read_text()
    for before, after in changes.items():
        text = text.replace(before, after)
    (tmp_path / "own.toml").write_text(text)
    monkeypatch.setenv("T3_EDITIONS", str(tmp_path / "own.toml"))
    settings.cache_clear()


def test_nothing_moved_nothing_is_corrected(sent):
    assert moved() == []


def test_small_change_is_let_pass_and_a_large_one_is_not(sent):
    restate(10_100)  # 1.0 % is not above 1 %
    assert moved() == []
    restate(10_101)
    [found] = moved()
    assert (found.business_date, found.edition, found.gross_sales_pence, found.ask) == (DAY, "cfo", 10_101, True)


def test_as_many_pence_from_more_sales_is_a_change_too(sent):
    restate(10_000, transactions=12)
    assert [one.transactions for one in moved()] == [12]


def test_files_that_arrive_one_by_one_make_one_correction(sent):
    restate(11_000)
    assert moved(after=timedelta(minutes=9)) == []
    assert len(moved(after=timedelta(minutes=11))) == 1


def test_change_of_another_day_and_of_long_ago_is_none(sent, monkeypatch):
    restate(11_000, day=DAY - timedelta(days=3))
    assert moved() == []
    restate(11_000)
    monkeypatch.setattr(corrections, "today", lambda: DAY + timedelta(days=16))  # the CFO's edition says 14 days
    assert moved() == []


def test_correction_waits_and_operators_are_notified_once(sent, tmp_path):
    restate(11_000)
    [waiting] = corrected(tmp_path)
    assert corrected(tmp_path) == [waiting]
    assert mail.send_due()["sent"] == 1
    assert [to for to, _ in sent.received] == ["hiram.boulie@t3.example", "operations@t3.example"]
    asked = message_from_bytes(sent.received[1][1], policy=default)
    assert asked["Subject"].endswith("figures changed, send a correction?")
    assert "It said £100.00 from 10 sales; now it is £110.00 from 10 sales." in asked.get_content()
    assert f"t3 mail resend {waiting}" in asked.get_content()
    assert stored(waiting)[0].state == "waiting"


def test_a_released_correction_says_what_the_first_mail_said(sent, tmp_path):
    restate(11_000)
    [waiting] = corrected(tmp_path)
    with warehouse.connect() as db:
        assert mail.resend(db, waiting).state == "prepared"
    mail.send_due()
    [content] = [content for to, content in sent.received[1:] if to.startswith("hiram")]
    message = message_from_bytes(content, policy=default)
    first = message_from_bytes(sent.received[0][1], policy=default)
    assert message["Subject"].endswith("(corrected)")
    assert message["References"] == first["Message-ID"] != message["Message-ID"]
    plain = " ".join(message.get_body(("plain",)).get_content().split())
    assert "£110.00 taken" in plain
    assert "said £100.00 from 10 sales" in plain
    assert moved() == []  # the mailed figures are right again


def test_correction_that_is_dropped_never_leaves(sent, tmp_path):
    restate(11_000)
    [waiting] = corrected(tmp_path)
    with warehouse.connect() as db:
        assert mail.drop(db, waiting).state == "cancelled"
        with pytest.raises(MailError, match="only a correction that waits"):
            mail.drop(db, waiting)
    assert corrected(tmp_path) == [waiting]
    mail.send_due()
    assert [to for to, _ in sent.received] == ["hiram.boulie@t3.example", "operations@t3.example"]


def test_figures_that_change_again_replace_the_waiting_correction(sent, tmp_path):
    restate(11_000)
    [older] = corrected(tmp_path)
    restate(12_000)
    [newer] = corrected(tmp_path)
    assert [stored(one)[0].state for one in (older, newer)] == ["cancelled", "waiting"]
    assert stored(newer)[0].revision == 3


def test_figures_that_move_back_leave_nothing_to_correct(sent, tmp_path):
    restate(11_000)
    [waiting] = corrected(tmp_path)
    restate(10_000)
    assert moved() == []
    assert stored(waiting)[0].state == "cancelled"


def test_edition_that_sends_by_itself_asks_nobody(sent, tmp_path, monkeypatch):
    edited(monkeypatch, tmp_path, **{'above_pct = 1.0, then = "ask", days = 14': 'above_pct = 1.0, then = "send"'})
    restate(11_000)
    [found] = moved()
    assert not found.ask
    corrected(tmp_path, ask=found.ask)
    assert mail.send_due()["sent"] == 1
    assert [to for to, _ in sent.received] == ["hiram.boulie@t3.example"] * 2


def test_edition_that_wants_no_correction_gets_none(sent, tmp_path, monkeypatch):
    edited(monkeypatch, tmp_path, **{'above_pct = 1.0, then = "ask", days = 14': 'then = "nothing"'})
    restate(20_000)
    assert moved() == []


def test_first_edition_that_did_not_leave_yet_is_overtaken(box, tmp_path, sent):
    execute("UPDATE ops.mail_outbox SET state = 'retry', next_try_at = now() + interval '1 hour'")
    restate(11_000)
    corrected(tmp_path, ask=False)
    with warehouse.connect() as db:
        states = [(m.revision, m.state) for m in mail.list_mails(db) if m.edition == "cfo"]
    assert states == [(2, "prepared"), (1, "cancelled")]


def test_trial_goes_to_the_listed_only_and_counts_as_no_report(sent, tmp_path, monkeypatch):
    copy = executed(report.read(DAY.isoformat()), tmp_path)
    with pytest.raises(SettingsError, match="T3_MAIL_TRIALS"):
        prepare_trial(copy, DAY, "hiram.boulie@t3.example")
    monkeypatch.setenv("T3_MAIL_TRIALS", "analyst@t3.example, other@t3.example")
    settings.cache_clear()
    prepare_trial(copy, DAY, "me")
    prepare_trial(copy, DAY, "Other@t3.example")
    assert mail.send_due()["sent"] == 2
    assert [to for to, _ in sent.received[1:]] == ["analyst@t3.example", "other@t3.example"]
    assert message_from_bytes(sent.received[1][1], policy=default)["Subject"].startswith("Trial: T3 Morning figures")
    restate(11_000)
    assert len(moved()) == 1


def test_without_the_setting_nothing_but_trials_leaves(sent, tmp_path, monkeypatch):
    monkeypatch.setenv("T3_MAIL_LIVE", "0")
    monkeypatch.setenv("T3_MAIL_TRIALS", "analyst@t3.example")
    settings.cache_clear()
    restate(11_000)
    copy = executed(report.read(DAY.isoformat()), tmp_path)
    [kept] = prepare_report(copy, DAY, "cfo")
    prepare_trial(copy, DAY, "me")
    assert mail.send_due() == {"sent": 1, "retry": 0, "failed": 0, "unknown": 0}
    assert [to for to, _ in sent.received] == ["hiram.boulie@t3.example", "analyst@t3.example"]
    assert (stored(kept)[0].state, stored(kept)[0].reply) == ("cancelled", "not sent: T3_MAIL_LIVE is not set")
    monkeypatch.setenv("T3_MAIL_LIVE", "1")  # what was kept back does not leave when it is old
    settings.cache_clear()
    assert mail.send_due()["sent"] == 0


def test_week_that_holds_the_day_is_corrected_too(box, tmp_path):
    one = editions()["cfo_week"]
    week = one.latest(business_day.today())
    assert (one.report, week.last.weekday()) == ("weekly", 6)
    execute(f"INSERT INTO mart.sales_hourly VALUES (1, '{week.first}', 13, 0, 'card', 10, 10000)")
    execute(f"INSERT INTO mart.price_daily VALUES (1, '{week.first}', 1000, 10)")
    copy = executed(report.read(week.last.isoformat(), "cfo_week"), tmp_path)
    prepare_report(copy, week.last, "cfo_week")
    mail.send_due()
    restate(11_000, day=week.first)
    assert [(one.business_date, one.edition) for one in moved()] == [(week.last, "cfo_week")]


def test_the_schedule_makes_a_moved_report_once(sent, bucket, monkeypatch):
    asked = []
    monkeypatch.setattr(leader.workflows, "enqueue_report", lambda *given, **more: asked.append((given, more)))
    restate(11_000)
    later = datetime.now(UTC) + timedelta(hours=1)
    leader.Scheduler(clock=lambda: later)._corrections(later)
    assert asked == [((DAY.isoformat(), "cfo"), {"rerun": "moved-11000-10", "ask": True})]


def test_a_contribution_that_moved_makes_a_correction_though_sales_stand(box, tmp_path):
    execute("INSERT INTO core.truck (truck_id, name) VALUES (1, 'Burrito Madness')")
    execute(f"INSERT INTO mart.sales_hourly VALUES (1, '{DAY}', 13, 0, 'card', 10, 10000)")
    execute(f"INSERT INTO mart.price_daily VALUES (1, '{DAY}', 1000, 10)")
    record = {
        "truck_id": 1,
        "cost": "wages",
        "amount": "4000",
        "per": "day",
        "from_date": "2026-01-01",
        "to_date": None,
    }
    cause = Cause("metadata", "metadata/costs.csv")
    with warehouse.connect() as db:
        dated.change(db, "cost", Version(json.dumps([record]), DAY, None), cause, contributions)
    prepare_report(executed(report.read(DAY.isoformat()), tmp_path), DAY, "cfo", "run 1")
    prepare_report(executed(report.read(DAY.isoformat(), "culinary"), tmp_path), DAY, "culinary", "run 1")
    mail.send_due()
    assert moved() == []
    with warehouse.connect() as db:
        assert (
            dated.change(
                db, "cost", Version(json.dumps([record | {"amount": "6000"}]), DAY, None), cause, contributions
            )
            == 1
        )
    (found,) = moved()
    assert (found.edition, found.gross_sales_pence, found.contribution_pence) == ("cfo", 10000, 4000)
    text = stored(corrected(tmp_path)[0])[1].get_body(("plain",)).get_content()
    said = " ".join(text.split())
    assert "said that £60.00 was left after costs; menus or costs have changed since." in said
