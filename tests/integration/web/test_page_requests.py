"""Requests that are too long, too slow, under another name, or written to spoil a log; on every server of ours."""

import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
import websocket

from scheduler.embedded.inbox import page as inbox_page
from scheduler.http import host_names, small_server
from scheduler.web import application
from scheduler.worker import health_endpoint
from t3lib.settings import SettingsError, settings
from tests.integration.web.conftest import PROXY, PUBLIC_NAME, SLOW_REQUEST_SECONDS, TOKEN, TOKENS
from tests.support.visitor import Visitor, channel, ends, given, message, raw, trickle

pytestmark = pytest.mark.slow  # it starts servers


@contextmanager
def health() -> Iterator[int]:
    with health_endpoint.serving(health_endpoint.Pulse(), 0) as url:
        yield urllib.parse.urlsplit(url).port


@contextmanager
def inbox(folder) -> Iterator[int]:
    server = inbox_page.serve(folder, 0, ZoneInfo("Europe/London"))
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_long_requests_are_refused_by_the_page(served):
    page = served()
    port = urllib.parse.urlsplit(page.url).port
    long = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000
    assert raw(port, long).startswith(b"HTTP/1.1 400")
    chunked = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 400 " in raw(port, chunked + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20)[:20]
    assert b" 200 " not in raw(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")[:20]
    visitor = Visitor(page.url)
    socket = visitor.channel(visitor.open())
    socket.send(message("comm_msg", comm_id="x", data="x" * application.BYTES))
    assert ends(socket)
    assert visitor.ask("mails")[0] == 200


def test_slow_requests_are_dropped_by_the_page(served):
    page = served()
    port = urllib.parse.urlsplit(page.url).port
    host = b"\r\nHost: localhost\r\n"
    starts = [b"", b"GET / HTTP/1.1" + host + b"X: ",
              b"POST /login HTTP/1.1" + host + b"Content-Length: 9999\r\n\r\n",
              b"GET /login HTTP/1.1" + host + b"\r\nGET /login HTTP/1.1" + host + b"X: "]  # fmt: skip
    assert application.LIMITS["idle_connection_timeout"] == application.LIMITS["body_timeout"] == 20, "as shipped"
    most = SLOW_REQUEST_SECONDS + 15
    with ThreadPoolExecutor(len(starts)) as pool:
        seconds = list(pool.map(lambda start: trickle(port, start, most), starts))
    assert max(seconds) < most, seconds
    assert Visitor(page.url).ask("mails")[0] == 200


@pytest.mark.parametrize("which", ["health", "inbox"])
def test_long_and_slow_requests_are_dropped_by_the_small_servers(which, tmp_path, monkeypatch):
    monkeypatch.setattr(small_server, "SECONDS", 1)
    with health() if which == "health" else inbox(tmp_path) as port:
        assert b" 431 " in raw(port, b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 5000)[:20]
        assert b" 431 " in raw(port, b"GET /" + b"x" * 50_000)[:20]
        for more in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
            assert b" 413 " in raw(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + more)[:20]
        assert b"hello" not in raw(port, b"HELLO /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        starts = [b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nX: "]
        with ThreadPoolExecutor(len(starts)) as pool:
            assert max(pool.map(lambda start: trickle(port, start, 10), starts)) < 6
        idle = [threading.Thread(target=trickle, args=[port, b"", 5]) for _ in range(small_server.CONNECTIONS + 20)]
        for one in idle:
            one.start()
        for one in idle:
            one.join()
        assert re.search(rb"HTTP/1\.\d (200|503)", raw(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[:20])


def test_small_servers_answer_to_their_own_names_only(place, tmp_path):
    with health() as port, inbox(tmp_path) as mails:
        for path in ("healthz", "metrics", "nothing"):
            assert status(port, path, "evil.example") == 403
        for host in ("localhost", f"127.0.0.1:{port}"):
            assert status(port, "metrics", host) in (200, 503)  # 503: no worker has set its queue up here
        for path in ("", "healthz", "mail/x/html", "nothing"):
            assert status(mails, path, f"evil.example:{mails}") == 403
        assert status(mails, "", f"localhost:{mails}") == 200
        assert b"BaseHTTP" not in raw(port, b"GET /nothing HTTP/1.0\r\n\r\n")


ROUTES = ("", "login", "logout", "mails", "mails/1/html", "nothing", "voila/templates/t3/static/t3.css",
          "voila/static/voila.js", "voila/labextensions/ipecharts/package.json", "api/kernels/{kernel}",
          "voila/api/shutdown/{kernel}", "api/kernels/{kernel}/channels")  # fmt: skip


@pytest.mark.parametrize("mode", [{}, TOKENS, PROXY], ids=["open", "token", "proxy"])
def test_no_route_of_a_page_answers_to_another_name(served, mode):
    page = served(mode)
    port = urllib.parse.urlsplit(page.url).port
    visitor = Visitor(page.url, Authorization=f"token {TOKEN}", X_Forwarded_User="olga")
    kernel = visitor.open()
    for path in ROUTES:
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "",
        ):
            found = visitor.ask(path.format(kernel=kernel), Host=host)
            assert found[0] in (400, 403), (path, host)
            assert "evil" not in found[1]
    for host in ("evil.example", f"evil.example:{port}"):
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
            visitor.channel(kernel, host=host)
    for host in ("localhost", f"localhost:{port}", "127.0.0.1", "[::1]:8866", f"{PUBLIC_NAME.title()}:443"):
        assert visitor.ask("mails", Host=host)[0] == 200, host


def test_names_of_a_page_that_listens_to_the_network():
    found = host_names.HostNames(["figures.company.example"], "0.0.0.0")
    assert found.allow("192.168.1.7:8866"), "no site can point an address elsewhere"
    assert found.allow("figures.company.example")
    assert not found.allow("figures.company.example.evil.example")
    assert not host_names.HostNames([], "127.0.0.1").allow("192.168.1.7:8866")


def test_a_public_name_is_a_name(monkeypatch):
    given(monkeypatch, T3_PUBLIC_NAMES="https://figures.company.example/")
    with pytest.raises(SettingsError, match=r"T3_PUBLIC_NAMES.*no https://"):
        settings()


def test_jupyterlab_answers_to_this_machines_names_only(lab):
    address = urllib.parse.urlsplit(lab.url)
    token = urllib.parse.parse_qs(address.query)["token"][0]
    program = Visitor(f"http://{address.netloc}/", Authorization=f"token {token}")
    for path in ("lab", "api/contents", "api/kernels", "login", "static/lab/package.json", "api", "metrics"):
        assert program.ask(path, Host="evil.example")[0] == 403, path
    assert program.ask("api/kernels")[0] == 200
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        channel(program.url, "0" * 36, host="evil.example", header=[f"Authorization: token {token}"])


def test_a_request_cannot_write_much_into_the_log_nor_a_line_of_its_own(served):
    page = served()
    visitor, log = Visitor(page.url), page.home / "logs" / "dashboard.log"
    port = urllib.parse.urlsplit(page.url).port
    kernel = visitor.open()
    before = log.stat().st_size
    host = b" HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n"
    requests = [
        b"GET /" + b"x" * 15_000 + host + b"\r\n", b"GET /a\x1b[2Jb\x0b[Server]%20forged%0aline" + host + b"\r\n",
        b"GET /mails" + host + b"Cookie: " + b"y" * 15_000 + b"\r\n\r\n",
        b"GET /api/kernels/x" + host + b"Origin: http://" + b"z" * 15_000 + b"\r\n\r\n",
        b"BREW" * 3000 + b" /" + host + b"\r\n", b"nonsense\x1b[31m" * 1000 + b"\r\n\r\n",
        b"GET /" + host[:-2] + b"evil" * 3000 + b"\r\n\r\n",
    ]  # fmt: skip
    for request in requests:
        raw(port, request)
        written, before = log.stat().st_size - before, log.stat().st_size
        assert written < 1500, request[:40]
    socket = visitor.channel(kernel)
    before = log.stat().st_size
    for sent in (message("x" * 500_000), message("comm_msg", comm_id="y" * 500_000, data={}),
                 message("comm_open", comm_id="z", target_name="t" * 500_000, data={}),
                 '{"channel": "' + "c" * 500_000 + '", "header": {}}'):  # fmt: skip
        socket.send(sent)
    socket.close()
    for bad in ("no json" * 1000, b"\xff" * 9000):
        socket = visitor.channel(kernel)
        socket.send(bad) if isinstance(bad, str) else socket.send_binary(bad)
        socket.close()
    time.sleep(2)
    assert log.stat().st_size - before < 12_000
    lines = log.read_text().splitlines()
    assert not [line for line in lines if "\x1b" in line or line.startswith(("forged", "[Server] forged"))]
    assert max(map(len, lines)) < 600


def test_errors_and_headers_tell_nothing_of_the_server(served):
    page = served()
    for path in ("nothing/<script>alert(1)</script>", "voila/static/none.js", "mails/999999", "api/kernels/none",
                 "voila/files/README.md", "voila/api/themes/x", "voila/templates/../../etc/passwd",
                 "voila/templates/t3/static", "voila/templates/none/static/x.css", "voila/templates/t3/static/../x",
                 "voila/labextensions/..", "voila/static/"):  # fmt: skip
        status, text, headers = Visitor(page.url).ask(urllib.parse.quote(path))
        assert (status, headers["Server"], headers["X-Powered-By"]) in [(s, "T3", None) for s in (403, 404)], path
        assert not re.search(r"alert\(1|Traceback|tornado|Jupyter|site-packages", text), path
    status, _, headers = Visitor(page.url).ask()
    assert "no-store" in headers["Cache-Control"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def status(port: int, path: str, host: str) -> int:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
