"""Mail without a server or a database."""

from datetime import date

import pytest

from t3lib import addresses
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


@pytest.mark.parametrize(
    "spelling",
    ["info@bücher.example", "Info@BÜCHER.example", " info@xn--bcher-kva.example ", "Anna <info@bücher.example>",
     '"Courcelle, Anna" <info@bücher.example>', "<info@bücher.example>"],
)  # fmt: skip
def test_an_address_in_two_spellings_is_one_reader(spelling):
    assert addresses.parse(spelling).reader == "info@xn--bcher-kva.example"
    assert message_id("daily", DAY, "cfo", spelling) == message_id("daily", DAY, "cfo", "info@xn--bcher-kva.example")


@pytest.mark.parametrize(
    "text",
    ["", "bad@", "@t3.example", "nobody", "a b@t3.example", "a@b@t3.example", "a..b@t3.example", "a@t3..example",
     "a@t3.example\nBcc: b@t3.example", "a@t3.example\0", "a@t3.example <b@t3.example>", "m\udcfc@t3.example",
     "a" * 300 + "@t3.example"],
)  # fmt: skip
def test_what_no_mail_can_reach_is_no_address_and_says_why(text):
    found = addresses.parse(text)
    assert (found.mailbox, bool(found.wrong), found.text.isprintable()) == ("", True, True)
    assert "is not a mail address (" in found.why


@pytest.mark.parametrize("text", ["root@localhost", "ops@till.local", "a@t3.test", "o'neil+t3@t3.example"])
def test_addresses_that_only_the_companys_own_server_knows_are_taken(text):
    assert addresses.parse(text).mailbox == text
