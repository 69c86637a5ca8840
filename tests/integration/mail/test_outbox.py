"""The outbox: what is prepared once leaves at most once."""

from email import message_from_bytes
from email.policy import default

import pytest

from t3lib import mail, warehouse
from t3lib.mail.outbox import MailError
from t3lib.mail.sending import MOST_ATTEMPTS
from t3lib.settings import SettingsError, settings
from tests.integration.mail.mails import DAY, make_due, prepared, state, stored
from tests.support.mailbox import free_port


def test_preparing_twice_gives_the_same_mail(database):
    assert prepared() == prepared()
    assert prepared("miranda@t3.example") != prepared()


def test_correction_refers_to_the_first_mail(database):
    first, _ = stored(prepared())
    _, correction = stored(prepared(revision=2))
    assert message_from_bytes(correction, policy=default)["References"] == first.message_id


def test_sent_mail_is_read_back_and_never_sent_again(box):
    mail_id = prepared()
    assert mail.send_due()["sent"] == 1
    assert mail.send_due() == {"sent": 0, "retry": 0, "failed": 0, "unknown": 0}
    [(recipient, content)] = box.received
    message = message_from_bytes(content, policy=default)
    assert (recipient, message["To"]) == ("hiram@t3.example", "hiram@t3.example")
    assert message["Message-ID"] == stored(mail_id)[0].message_id
    assert message.get_content().strip() == "Sales £1,234.50"


def test_refused_mail_waits_and_then_leaves(box):
    mail_id = prepared()
    box.answers = {"RCPT": "451 try later"}
    assert mail.send_due()["retry"] == 1
    assert mail.send_due()["retry"] == 0  # not due yet
    box.answers = {}
    make_due()
    assert mail.send_due()["sent"] == 1
    assert (state(mail_id), stored(mail_id)[0].attempts, len(box.received)) == ("sent", 2, 1)


@pytest.mark.slow  # it tries twelve times
def test_server_that_never_takes_it_ends_as_failed(box, no_operators):
    mail_id = prepared()
    box.answers = {"MAIL": "451 try later"}
    for _ in range(MOST_ATTEMPTS):
        make_due()
        mail.send_due()
    assert state(mail_id) == "failed"
    assert stored(mail_id)[0].reply.startswith("given up after 12 attempts")


def test_one_refused_recipient_does_not_keep_the_other_from_it(box):
    refused, taken = prepared("nobody@t3.example"), prepared("miranda@t3.example")
    box.answers = {"RCPT nobody@t3.example": "550 no such person"}
    counts = mail.send_due()
    assert (state(refused), state(taken)) == ("failed", "sent")
    assert (counts["failed"], counts["sent"]) == (1, 2)  # the second is the word to the operators
    assert [to for to, _ in box.received] == ["miranda@t3.example", "operations@t3.example"]
    notice = message_from_bytes(box.received[1][1], policy=default)
    assert "did not reach nobody@t3.example" in notice["Subject"]
    assert f"t3 mail resend {refused}" in notice.get_content()


def test_lost_answer_is_unknown_and_never_sent_again_by_itself(box):
    mail_id = prepared()
    box.answers = {"DATA": "drop"}
    assert mail.send_due(limit=1)["unknown"] == 1
    box.answers = {}
    mail.send_due()
    assert state(mail_id) == "unknown"
    assert [to for to, _ in box.received] == ["hiram@t3.example", "operations@t3.example"]


def test_person_may_send_an_unknown_mail_again(box, no_operators):
    mail_id = prepared()
    box.answers = {"DATA": "drop"}
    mail.send_due()
    box.answers = {}
    with warehouse.connect() as db:
        assert mail.resend(db, mail_id).state == "prepared"
    mail.send_due()
    ids = {message_from_bytes(content)["Message-ID"] for _, content in box.received}
    assert (state(mail_id), len(ids)) == ("sent", 1)  # a mail client sees one mail


def test_waiting_mail_cannot_be_sent_again(database):
    mail_id = prepared()
    with warehouse.connect() as db, pytest.raises(MailError, match="is prepared"):
        mail.resend(db, mail_id)


def test_mail_that_is_not_there_is_named(database):
    with warehouse.connect() as db, pytest.raises(MailError, match="no mail 7"):
        mail.resend(db, 7)


def test_no_server_configured_claims_nothing(database):
    mail_id = prepared()
    with pytest.raises(SettingsError, match="T3_SMTP_URL"):
        mail.send_due()
    assert (state(mail_id), stored(mail_id)[0].attempts) == ("prepared", 0)


def test_server_that_is_down_keeps_the_mail(database, monkeypatch):
    monkeypatch.setenv("T3_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    monkeypatch.setenv("T3_MAIL_LIVE", "1")
    settings.cache_clear()
    prepared()
    assert mail.send_due()["retry"] == 1


def test_mails_are_listed_by_state_and_day(box):
    prepared()
    prepared("miranda@t3.example")
    mail.send_due(limit=1)
    with warehouse.connect() as db:
        assert [m.recipient for m in mail.list_mails(db, state="prepared")] == ["miranda@t3.example"]
        assert [m.recipient for m in mail.list_mails(db, state="sent")] == ["hiram@t3.example"]
        assert len(mail.list_mails(db, business_date=DAY)) == 2
