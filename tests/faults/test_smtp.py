"""Deliver against servers that misbehave: the recorded outcome never claims more than the server answered."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from t3lib.mail.smtp import deliver
from tests.support.mailbox import free_port, mailbox

MESSAGE = b"Subject: sales\r\n\r\n.05 of them\r\n"


def attempt(url, to="hiram@t3.example", **changes):
    return deliver(url, "T3 <reports@t3.example>", to, MESSAGE, **changes)


def test_accepted_mail_is_sent_byte_for_byte():
    with mailbox() as box:
        assert attempt(box.url).state == "sent"
    assert box.received == [("hiram@t3.example", MESSAGE)]


@pytest.mark.parametrize(
    ("command", "reply", "state"),
    [
        ("MAIL", "421 closing", "retry"),
        ("MAIL", "451 try later", "retry"),
        ("RCPT", "450 mailbox busy", "retry"),
        ("RCPT", "550 no such person", "failed"),
        ("RCPT", "drop", "retry"),
        ("DATA", "451 disk full", "retry"),
        ("DATA", "554 looks like spam", "failed"),
    ],
)
def test_refusal_before_acceptance_delivers_nothing(command, reply, state):
    with mailbox() as box:
        box.answers = {command: reply}
        assert attempt(box.url).state == state
    assert box.received == []


def test_connection_lost_after_the_final_dot_leaves_it_unknown():
    with mailbox() as box:
        box.answers = {"DATA": "drop"}
        assert attempt(box.url).state == "unknown"
    assert len(box.received) == 1  # it did arrive: a second attempt would have been a duplicate


def test_a_refused_connection_is_retried():
    assert attempt(f"smtp://127.0.0.1:{free_port()}").state == "retry"


def test_a_banner_that_never_arrives_is_retried():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = attempt(f"smtp://127.0.0.1:{silent.getsockname()[1]}", reply_seconds=0.2)
    assert outcome.state == "retry"


def test_unanswered_final_dot_leaves_it_unknown():
    with scripted(b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go") as url:
        assert attempt(url, acceptance_seconds=0.2).state == "unknown"


def test_a_late_banner_within_the_time_limit_is_waited_for():
    with scripted(b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go", b"250 kept", pause=0.1) as url:
        assert attempt(url, reply_seconds=2).state == "sent"


def test_banner_that_trickles_in_is_cut_off():
    with trickling(b"220 " + b"x" * 500, pause=0.05) as url:
        begun = time.monotonic()
        assert attempt(url, reply_seconds=0.1).state == "retry"
    assert time.monotonic() - begun < 5


def test_answer_to_the_message_that_trickles_in_leaves_it_unknown():
    with scripted(b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go", slow=b"250-" + b"x" * 500) as url:
        assert attempt(url, reply_seconds=0.1, acceptance_seconds=0.2).state == "unknown"


def test_a_connection_that_drops_before_data_is_retried():
    with scripted(b"220 hi", b"250 hi", b"250 ok", b"250 ok") as url:
        outcome = attempt(url, reply_seconds=1)
    assert outcome.state == "retry"


def test_connection_that_drops_within_the_message_leaves_it_unknown():
    with mailbox(data_size_limit=10) as box:
        assert attempt(box.url).state in ("failed", "unknown")
    assert box.received == []


@pytest.mark.parametrize("answer", [b"454 TLS not available", b"220 go\r\nnot a handshake at all"])
def test_tls_that_is_offered_and_fails_sends_nothing(answer):
    with scripted(b"220 hi", b"250-hi\r\n250 STARTTLS", answer) as url:
        outcome = attempt(url, reply_seconds=1)
    assert outcome.state == "retry"


def test_tls_from_the_start_against_a_server_without_it_is_retried():
    with mailbox() as box:
        assert attempt(box.url.replace("smtp://", "smtps://"), reply_seconds=1).state == "retry"
    assert box.received == []


def test_a_refused_login_is_retried_and_says_so():
    with scripted(b"220 hi", b"250-hi\r\n250 AUTH PLAIN", b"535 wrong password") as url:
        outcome = attempt(url.replace("smtp://", "smtp://t3:secret@"), reply_seconds=1)
    assert (outcome.state, outcome.reply) == ("retry", "535 wrong password")
    assert "secret" not in outcome.reply


def test_password_is_not_sent_in_the_clear_to_another_machine(monkeypatch):
    monkeypatch.setattr("t3lib.mail.smtp.LOOPBACK", ())
    with scripted(b"220 hi", b"250-hi\r\n250 AUTH PLAIN") as url:
        outcome = attempt(url.replace("smtp://", "smtp://t3:secret@"), reply_seconds=1)
    assert outcome.state == "retry"
    assert "offers no STARTTLS" in outcome.reply


def test_a_server_that_closes_at_the_banner_is_retried():
    with scripted(b"421 too many connections") as url:
        assert attempt(url).reply.startswith("421")


def test_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    with mailbox(tls_context=context) as box:
        outcome = attempt(box.url)
    assert (outcome.state, box.received) == ("retry", [])
    assert "certificate" in outcome.reply


def test_offered_starttls_is_used(tmp_path, monkeypatch):
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with mailbox(tls_context=context, require_starttls=True) as box:
        outcome = attempt(box.url.replace("127.0.0.1", "localhost"))
    assert (outcome.state, len(box.received)) == ("sent", 1)


@pytest.mark.parametrize("plain", [True, False])
def test_a_domain_of_other_letters_goes_as_punycode_to_any_server(plain):
    with mailbox(enable_SMTPUTF8=not plain) as box:
        assert attempt(box.url, "Info <info@bücher.example>").state == "sent"
    assert box.received == [("info@xn--bcher-kva.example", MESSAGE)]


def test_other_letters_before_the_at_leave_where_the_server_takes_them():
    with mailbox(enable_SMTPUTF8=True) as box:
        assert attempt(box.url, "müller@t3.example").state == "sent"
    assert box.received == [("müller@t3.example", MESSAGE)]


def test_other_letters_before_the_at_are_failed_where_the_server_does_not_take_them():
    with mailbox(enable_SMTPUTF8=False) as box:
        outcome = attempt(box.url, "müller@t3.example")
    assert (outcome.state, box.received) == ("failed", [])
    assert "müller@t3.example has other than plain letters before the @" in outcome.reply


@pytest.mark.parametrize("address", ["bad@", "a@t3.example\r\nDATA", "a@t3.example>\r\nRCPT TO:<b@t3.example"])
def test_what_is_no_address_never_reaches_the_server(address):
    with mailbox() as box:
        outcome = attempt(box.url, address)
    assert (outcome.state, box.received) == ("failed", [])
    assert "is not a mail address" in outcome.reply


@pytest.mark.parametrize("path", ["http://127.0.0.1:{}", "smtp://t3:pässword@127.0.0.1:{}", "smtp://[127.0.0.1:{}",
                                  "smtp://.{}", "smtp://127.0.0.1:{}0000"])  # fmt: skip
def test_a_url_that_cannot_be_used_leaves_the_mail_for_another_try_and_shows_nothing_of_it(path):
    with scripted(b"220 hi", b"250-hi\r\n250 AUTH PLAIN LOGIN", b"250 ok") as url:
        outcome = attempt(path.format(url.rpartition(":")[2]), reply_seconds=1)
        attempt(url, reply_seconds=0.1)  # the script waits for somebody
    assert outcome.state == "retry"
    assert "ssword" not in outcome.reply


def test_an_own_error_before_the_message_leaves_it_for_a_retry(monkeypatch):
    """The process may start no thread any more once the connection is open."""
    with mailbox() as box:
        monkeypatch.setattr(threading.Timer, "start", lambda self: refuse_a_thread())
        outcome = attempt(box.url)
    assert (outcome.state, box.received) == ("retry", [])


def test_words_of_the_server_are_fit_for_the_database():
    with scripted(b"220 hi", b"250 hi", b"550 no\0such\x1b[31m person") as url:
        outcome = attempt(url, reply_seconds=1)
    assert outcome.state == "failed"
    assert outcome.reply.isprintable()


def refuse_a_thread():
    raise RuntimeError("can't start new thread")


@contextlib.contextmanager
def trickling(line, pause):
    """A server whose banner comes byte by byte."""
    with scripted(slow=line, pause=pause) as url:
        yield url


@contextlib.contextmanager
def scripted(*replies, pause=0.0, slow=b""):
    """A server that says these lines, one per command, then `slow` byte by byte, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def talk():
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as commands:
                with contextlib.suppress(OSError):
                    for reply in replies:
                        done.wait(pause)
                        connection.sendall(reply + b"\r\n")
                        commands.readline()
                    for byte in slow:
                        done.wait(pause or 0.05)
                        connection.sendall(bytes([byte]))
                done.wait(5 if not slow else 0)

        thread = threading.Thread(target=talk)
        thread.start()
        yield f"smtp://127.0.0.1:{server.getsockname()[1]}"
        done.set()
        thread.join()


def self_signed(folder):
    """(certificate, key) for localhost, made by openssl."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl: apt-get install openssl")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    return certificate, key
