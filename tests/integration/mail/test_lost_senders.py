"""Senders that are killed, cut off from the database or given up for dead: no mail leaves twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from email import message_from_bytes
from email.policy import default
from functools import partial

import psycopg2
import pytest
import sqlalchemy as sa

from t3lib import mail, warehouse
from t3lib.settings import settings
from tests.integration.mail.mails import prepared, state, stored
from tests.support.mailbox import mailbox

pytestmark = pytest.mark.slow  # it starts senders and kills them


def test_accepted_mail_is_sent_though_the_database_was_cut_off(box, database, postgres):
    mail_id = prepared()
    box.before_answer = lambda: cut_off(database, postgres)
    assert mail.send_due()["sent"] == 1
    assert (state(mail_id), len(box.received)) == ("sent", 1)


def test_sender_given_up_for_dead_may_still_say_what_it_knows(box, no_operators, database, postgres):
    mail_id = prepared()

    def another_sender_looks():
        cut_off(database, postgres)
        assert mail.send_due()["unknown"] == 1

    box.before_answer = another_sender_looks
    assert mail.send_due()["sent"] == 1
    assert (state(mail_id), len(box.received)) == ("sent", 1)


def test_mail_being_sent_is_left_alone_by_others(box):
    prepared()
    counts = []
    box.before_answer = lambda: counts.append(mail.send_due())
    assert mail.send_due()["sent"] == 1
    assert counts == [{"sent": 0, "retry": 0, "failed": 0, "unknown": 0}]


def test_two_senders_at_once_send_everything_once(box):
    everyone = [f"person{n}@t3.example" for n in range(12)]
    for recipient in everyone:
        prepared(recipient)
    senders = [sender(), sender()]
    assert [process.wait(30) for process in senders] == [0, 0]
    assert sorted(to for to, _ in box.received) == sorted(everyone)


@pytest.mark.parametrize("seed", range(int(os.environ.get("T3_FAULT_RUNS", "5"))))
def test_killed_sender_leaves_no_duplicate(box, no_operators, monkeypatch, seed):
    everyone = [f"person{n}@t3.example" for n in range(20)]
    mails = [prepared(recipient) for recipient in everyone]
    process = sender()
    wait_for(lambda: box.received)
    time.sleep(random.Random(seed).uniform(0, 0.15))
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(nothing_is_under_way)  # Postgres frees a dead sender's locks when it notices, not at once
    arrived = [to for to, _ in box.received]
    states = {stored(mail_id)[0].recipient: state(mail_id) for mail_id in mails}
    assert len(arrived) == len(set(arrived))
    assert set(states.values()) <= {"sent", "unknown"}
    assert [to for to, found in states.items() if found == "sent" and to not in arrived] == []
    assert sum(found == "unknown" for found in states.values()) <= 1


def test_operators_are_notified_of_the_mail_that_a_killed_sender_held(box):
    mail_id = prepared()
    process = subprocess.Popen([sys.executable, "-c", "import t3lib.mail as mail; mail.send_due()"])
    box.before_answer = partial(kill, process)
    wait_for(lambda: process.poll() is not None)
    box.before_answer = lambda: None
    wait_for(nothing_is_under_way)
    assert state(mail_id) == "unknown"
    [notice] = [
        message_from_bytes(content, policy=default) for to, content in box.received if to.startswith("operations")
    ]
    assert "may or may not have reached hiram@t3.example" in notice["Subject"]
    assert f"t3 mail resend {mail_id}" in notice.get_content()


def test_a_mail_whose_sender_was_killed_before_it_began_leaves_once_and_nobody_is_notified(box):
    mail_id = prepared()
    process = subprocess.Popen([sys.executable, "-c", "import t3lib.mail as mail; mail.send_due()"])
    box.before_recipient = partial(kill, process)
    wait_for(lambda: process.poll() is not None)
    box.before_recipient = lambda: None
    wait_for(nothing_is_under_way)
    assert (state(mail_id), [to for to, _ in box.received]) == ("sent", ["hiram@t3.example"])


def test_a_sender_given_up_for_dead_before_it_began_begins_nothing_more(box, monkeypatch, database, postgres):
    """Cut off from the database at the recipient, it finds its mail sent by another when it comes back."""
    mail_id = prepared()
    with mailbox() as second:

        def another_sender_takes_it():
            cut_off(database, postgres)
            monkeypatch.setenv("T3_SMTP_URL", second.url)
            settings.cache_clear()
            assert mail.send_due()["sent"] == 1

        box.before_recipient = another_sender_takes_it
        assert mail.send_due()["sent"] == 0
    assert (state(mail_id), len(box.received), len(second.received)) == ("sent", 0, 1)


def test_a_database_that_is_away_when_the_message_would_begin_leaves_it_for_another_try(
    box, no_operators, database, postgres
):
    mail_id = prepared()
    box.before_recipient = lambda: closed_to_connections(database, postgres)
    assert mail.send_due(limit=1)["retry"] == 1
    assert (state(mail_id), box.received) == ("retry", [])


def test_accepted_mail_is_sent_though_the_database_was_away_for_a_second(box, database, postgres):
    mail_id = prepared()
    box.before_answer = lambda: closed_to_connections(database, postgres)
    assert mail.send_due()["sent"] == 1
    assert (state(mail_id), len(box.received)) == ("sent", 1)


def test_what_a_sender_of_an_older_version_left_is_unknown(box, no_operators):
    mail_id = prepared()
    with warehouse.connect() as db:  # it knows nothing of not_begun
        db.execute(sa.text("UPDATE ops.mail_outbox SET state = 'sending', attempts = attempts + 1"))
    assert mail.send_due()["unknown"] == 1
    assert (state(mail_id), box.received) == ("unknown", [])


def cut_off(database, postgres):
    """End every connection to this test's database, as a restart does, and wait until none holds a lock."""
    with psycopg2.connect(postgres) as connection:
        query = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"
        connection.cursor().execute(query, [sa.make_url(database).database])
    connection.close()


def closed_to_connections(database, postgres):
    """End every connection to this test's database and let nobody in for a second."""
    name = sa.make_url(database).database
    connection = psycopg2.connect(postgres)
    connection.autocommit = True
    connection.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    cut_off(database, postgres)

    def open_again():
        connection.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        connection.close()

    threading.Timer(1, open_again).start()


def nothing_is_under_way():
    """Whether each mail has an end, after one more tick of the sender."""
    mail.send_due()
    with warehouse.connect() as db:
        return not any(mail.list_mails(db, state=state) for state in ("prepared", "retry", "sending"))


def sender():
    """A process of its own that sends what is due."""
    line = "import t3lib.mail.sending as s; s.notify_operators = lambda *_: []; s.send_due()"
    return subprocess.Popen([sys.executable, "-c", line])


def kill(process: subprocess.Popen) -> None:
    """End it at once."""
    process.kill()
    process.wait()


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
