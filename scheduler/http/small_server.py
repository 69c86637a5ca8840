"""A server of a few pages for this machine; it drops requests that are slow, too long or for another host name."""

import io
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scheduler.http.host_names import HostNames

SECONDS, HEADER_BYTES, CONNECTIONS = 20, 2**14, 64


class TooLongError(Exception):
    """A request whose headers are longer than HEADER_BYTES."""


class SmallServer(ThreadingHTTPServer):
    """A thread for each connection, up to CONNECTIONS at once."""

    daemon_threads = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slots = threading.BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not log a broken connection."""


class SmallHandler(BaseHTTPRequestHandler):
    """Reads requests without a body, each within SECONDS and HEADER_BYTES; subclasses implement `answer`."""

    server_version, sys_version = "T3", ""
    names = HostNames()

    def setup(self) -> None:
        super().setup()
        self.reader = _Reader(self.connection)
        self.rfile = io.BufferedReader(self.reader)

    def handle_one_request(self) -> None:
        self.reader.begin()
        try:
            super().handle_one_request()
        except TooLongError:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "These headers are too long.")

    def do_GET(self) -> None:
        if self.headers.get("Transfer-Encoding") or self.headers.get("Content-Length", "0") != "0":
            return self._refuse(HTTPStatus(413), "Requests must not have a body.")
        if not self.names.allow(self.headers.get("Host", "localhost")):
            return self._refuse(HTTPStatus.FORBIDDEN, "Open this page as http://127.0.0.1")
        return self.answer()

    def answer(self) -> None:
        """Answer a GET or HEAD."""
        raise NotImplementedError

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._refuse(HTTPStatus(code), "This server does not understand the request.")

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(message) + 1))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(f"{message}\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests: monitoring sends one every few seconds."""


class _Reader(io.RawIOBase):
    """Reads a socket, with SECONDS and HEADER_BYTES for each request."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Start the limits of the next request."""
        self._end, self._left = time.monotonic() + SECONDS, HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise TooLongError
        self._connection.settimeout(max(self._end - time.monotonic(), 0.001))
        read = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._connection.settimeout(SECONDS)  # for sending the answer
        self._left -= read
        return read
