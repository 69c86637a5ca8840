"""A proxy before a real S3 server that fails on demand: the client's requests, signatures and retries are real."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


class Store:
    """`fault` is asked before every request with its method and path and names what goes wrong:

    a status, 'hang' (no answer for `silence` seconds), 'truncate' (half a body), 'drop', or None: nothing."""

    folder: Path  # where the objects of the server behind it lie

    def __init__(self, upstream: str):
        self.upstream = urlsplit(upstream).netloc
        self.fault: Callable[[str, str], Any] = lambda method, path: None
        self.during: Callable[[], None] = lambda: None  # called when half a body is sent
        self.requests: list[tuple[str, str, object]] = []
        self.silence, self.url = 3.0, ""

    def times(self, fault: Any, count: int, method: str = "GET", part: str = "") -> None:
        """Let the next so many requests of a kind fail."""
        left = iter(range(count))

        def answer(asked: str, path: str) -> Any:
            return fault if asked == method and part in path and next(left, None) is not None else None

        self.fault = answer


@contextmanager
def misbehaving(upstream: str) -> Iterator[Store]:
    """The proxy while it runs, at `url`."""
    store = Store(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Proxy,), {"store": store}))
    server.daemon_threads = True
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.store.fault(self.command, self.path)
        self.store.requests.append((self.command, self.path, fault))
        if fault == "drop":
            self.close_connection = True
        elif fault == "hang":
            time.sleep(self.store.silence)
            self.close_connection = True
        elif isinstance(fault, int):
            self._answer(fault, {}, SLOW_DOWN)
        else:
            self._answer(*self._upstream(body), half=fault == "truncate")

    do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = do

    def _upstream(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.store.upstream, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), data

    def _answer(self, status: int, headers: dict[str, str], body: bytes, half: bool = False) -> None:
        self.send_response_only(status)
        kept = {
            name: value for name, value in headers.items() if name.lower() not in ("transfer-encoding", "connection")
        }
        kept.setdefault("Content-Length", str(len(body)))
        for name, value in kept.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET" and status == 200:
            self.wfile.write(body[: len(body) // 2])
            self.store.during()
            body = b"" if half else body[len(body) // 2 :]
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = half

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
