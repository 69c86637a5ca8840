"""Deliver against servers that misbehave: what is known afterwards is never more than what was heard."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from t3lib.mail.smtp import deliver
from tests.mailbox import free_port, mailbox

MESSAGE = b"Subject: sales\r\n\r\n.05 of them\r\n"


def attempt(url, **changes):
    return deliver(url, "T3 <reports@t3.example>", "hiram@t3.example", MESSAGE, **changes)


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


def test_nobody_listening_is_tried_again():
    assert attempt(f"smtp://127.0.0.1:{free_port()}").state == "retry"


def test_banner_that_never_comes_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = attempt(f"smtp://127.0.0.1:{silent.getsockname()[1]}", patience=0.2)
    assert outcome.state == "retry"


def test_unanswered_final_dot_leaves_it_unknown():
    with scripted(b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go") as url:
        assert attempt(url, acceptance=0.2).state == "unknown"


def test_server_that_closes_at_the_banner_is_tried_again():
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


@contextlib.contextmanager
def scripted(*replies):
    """A server that says these lines, one per command, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def talk():
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as commands:
                for reply in replies:
                    connection.sendall(reply + b"\r\n")
                    commands.readline()
                done.wait(5)

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
