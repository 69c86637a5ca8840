"""Addresses that are bad, spelled in two ways, or beyond what the mail server takes."""

from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from t3lib import mail, warehouse
from t3lib.mail.outbox import MailError
from t3lib.report.output.delivery import trial_address
from t3lib.settings import SettingsError, settings
from tests.integration.mail.mails import DAY, prepared, state, stored
from tests.support.mailbox import mailbox


def test_one_bad_address_is_failed_by_name_and_the_others_get_theirs(box):
    mails = {
        to: prepared(to) for to in ("bad@", "good@t3.example", "a@t3.example\nBcc: b@t3.example", "last@t3.example")
    }
    assert mail.send_due()["failed"] == 2
    assert [state(mail_id) for mail_id in mails.values()] == ["failed", "sent", "failed", "sent"]
    bad = stored(mails["bad@"])[0]
    assert (bad.recipient, bad.reply) == (
        "bad@", "'bad@' is not a mail address (There must be something after the @-sign)",
    )  # fmt: skip
    assert [to for to, _ in box.received if not to.startswith("operations")] == ["good@t3.example", "last@t3.example"]


def test_operators_are_notified_of_a_bad_address_once_a_day_not_once_a_mail(box):
    for edition in ("cfo", "culinary"):
        prepared("bad@", edition=edition)
    mail.send_due()
    [(to, content)] = box.received
    notice = message_from_bytes(content, policy=default)
    assert (to, notice["Subject"]) == ("operations@t3.example", "T3: The cfo report of 5 November did not reach bad@")
    assert "`t3 doctor` names the setting that holds it" in " ".join(notice.get_content().split())


def test_the_other_operators_are_notified_of_a_bad_address_among_them(box, monkeypatch):
    monkeypatch.setenv("T3_RECIPIENTS_OPERATIONS", "bad@, ops@t3.example")
    settings.cache_clear()
    with warehouse.connect() as db:
        mail.notify_operators(db, "disk", DAY, "the disk is full", "Free some space.")
    mail.send_due()
    mail.send_due()
    subjects = [message_from_bytes(content, policy=default)["Subject"] for to, content in box.received]
    assert [to for to, _ in box.received] == ["ops@t3.example"] * 2
    assert subjects == ["T3: the disk is full", "T3: A message to the operators of 5 November did not reach bad@"]


def test_one_address_in_two_spellings_gets_one_mail(box):
    first = prepared("info@bücher.example")
    spellings = ("Info@XN--BCHER-KVA.example", " info@Bücher.example ", "Anna <info@bücher.example>")
    assert {prepared(spelling) for spelling in spellings} == {first}
    mail.send_due()
    [(to, content)] = box.received
    message = message_from_bytes(content, policy=default)
    assert (to, message["To"]) == ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example")


@pytest.mark.parametrize("yesterday", ["Hiram@T3.Example", "hiram@t3.example", "<hiram@t3.example>"])
def test_nobody_gets_a_mail_twice_when_rows_hold_the_spelling_of_an_older_version(box, yesterday):
    mail_id = prepared("Hiram@t3.example")
    with warehouse.connect() as db:
        db.execute(sa.text("UPDATE ops.mail_outbox SET recipient = :as_written"), {"as_written": yesterday})
    assert prepared("hiram@t3.example") == mail_id
    mail.send_due()
    assert prepared("HIRAM@t3.example") == mail_id
    mail.send_due()
    assert [to for to, _ in box.received] in (["Hiram@t3.example"], ["hiram@t3.example"])


def test_a_reader_that_this_server_cannot_reach_is_failed_and_the_next_does_not_wait(database, monkeypatch):
    with mailbox(enable_SMTPUTF8=False) as server:
        monkeypatch.setenv("T3_SMTP_URL", server.url)
        monkeypatch.setenv("T3_MAIL_LIVE", "1")
        settings.cache_clear()
        unreachable, next_one = prepared("müller@t3.example"), prepared("hiram@t3.example")
        mail.send_due()
    assert (state(unreachable), state(next_one)) == ("failed", "sent")
    assert "the mail server does not take (no SMTPUTF8)" in stored(unreachable)[0].reply
    subject = message_from_bytes(server.received[-1][1], policy=default)["Subject"]
    assert subject == "T3: The cfo report of 5 November did not reach müller@t3.example"


def test_a_reader_with_other_letters_is_named_as_such_where_the_server_takes_them(box):
    prepared("müller@t3.example")
    mail.send_due()
    [(to, content)] = box.received
    assert to == "müller@t3.example"
    assert "To: müller@t3.example\r\n".encode() in content


def test_a_mail_to_a_bad_address_is_not_sent_again_by_hand(box):
    mail_id = prepared("bad@")
    mail.send_due()
    with warehouse.connect() as db, pytest.raises(MailError, match=r"'bad@' is not a mail address .*correct it there"):
        mail.resend(db, mail_id)


def test_the_sender_is_one_mailbox(box, monkeypatch):
    monkeypatch.setenv("T3_MAIL_FROM", "T3, Reports <reports@t3.example>")
    settings.cache_clear()
    with warehouse.connect() as db:
        mail.notify_operators(db, "disk", DAY, "the disk is full", "Free some space.")
    mail.send_due()
    message = message_from_bytes(box.received[0][1], policy=default)
    [one] = message["From"].addresses
    assert (one.display_name, one.addr_spec) == ("T3, Reports", "reports@t3.example")


def test_doctor_and_status_say_which_address_is_wrong_and_where(t3, monkeypatch):
    monkeypatch.setenv("T3_RECIPIENTS_CFO", "good@t3.example,bad@")
    settings.cache_clear()
    _, status, _ = t3("status")
    code, doctor, _ = t3("doctor")
    for said in (status, doctor):
        assert "T3_RECIPIENTS_CFO: 'bad@' is not a mail address (There must be something after the @-sign)" in said
    assert code == 1


def test_a_trial_goes_to_the_allowed_address_in_any_spelling_and_to_no_other(monkeypatch):
    monkeypatch.setenv("T3_MAIL_TRIALS", "Anna <Anna@bücher.example>, bad@")
    settings.cache_clear()
    for spelling in ("me", "anna@BÜCHER.example", "anna@xn--bcher-kva.example"):
        assert trial_address(spelling) == "Anna@xn--bcher-kva.example"
    for other in ("bad@", "anna@t3.example", "anna@bücher.example, eve@t3.example", "nobody"):
        with pytest.raises(SettingsError, match="T3_MAIL_TRIALS"):
            trial_address(other)
