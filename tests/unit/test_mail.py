"""Mail without a server or a database."""

from datetime import date

from t3lib.mail import message_id
from t3lib.mail.sending import wait_after

DAY = date(2026, 11, 5)


def test_message_id_is_the_same_wherever_it_is_made():
    assert message_id("daily", DAY, "cfo", "hiram@t3.example") == message_id("daily", DAY, "cfo", "Hiram@t3.example")


def test_every_mail_has_a_message_id_of_its_own():
    keys = [
        ("daily", DAY, "cfo", "hiram@t3.example", 1),
        ("daily", DAY, "cfo", "hiram@t3.example", 2),
        ("daily", DAY, "cfo", "miranda@t3.example", 1),
        ("daily", DAY, "culinary", "hiram@t3.example", 1),
        ("daily", date(2026, 11, 6), "cfo", "hiram@t3.example", 1),
        ("incident", DAY, "cfo", "hiram@t3.example", 1),
    ]
    assert len({message_id(*key) for key in keys}) == len(keys)


def test_message_id_is_of_the_senders_domain(monkeypatch):
    monkeypatch.setenv("T3_MAIL_FROM", "Reports <reports@trucks.example>")
    assert message_id("daily", DAY, "cfo", "hiram@t3.example").endswith("@trucks.example>")


def test_waits_grow_to_an_hour():
    assert [wait_after(attempts).seconds // 60 for attempts in (1, 2, 3, 4, 5)] == [1, 4, 16, 60, 60]
