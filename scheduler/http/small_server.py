"""A server of a few pages for this machine: what asks slowly, at length or under another name is dropped."""

import io
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scheduler.http.host_names import Names

SECONDS, HEADER_BYTES, CONNECTIONS = 20, 2**14, 64


class TooLongError(Exception):
    """A request with more headers than anybody needs."""


class SmallServer(ThreadingHTTPServer):
    """A thread for each connection, and an end to them."""

    daemon_threads = True

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._places = threading.BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news."""


class SmallHandler(BaseHTTPRequestHandler):
    """Requests without a body, each read within its time and its size; `answer` has the rest to say."""

    server_version, sys_version = "T3", ""
    names = Names()

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
            return self._refuse(HTTPStatus(413), "Nothing can be sent here.")
        # A page of another site whose name was pointed at this machine gets nothing.
        if not self.names.allow(self.headers.get("Host", "localhost")):
            return self._refuse(HTTPStatus.FORBIDDEN, "Open this page as http://127.0.0.1")
        return self.answer()

    def answer(self) -> None:
        """Answer a GET or HEAD."""
        raise NotImplementedError

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._refuse(HTTPStatus(code), "This server does not understand that.")

    def _refuse(self, status: HTTPStatus, said: str) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(said) + 1))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(f"{said}\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what asks every few seconds is no news."""


class _Reader(io.RawIOBase):
    """A socket from which a request comes within SECONDS and HEADER_BYTES, or not at all."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """The next request."""
        self._end, self._left = time.monotonic() + SECONDS, HEADER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        if self._left <= 0:
            raise TooLongError
        self._connection.settimeout(max(self._end - time.monotonic(), 0.001))
        read = self._connection.recv_into(memoryview(room)[: self._left])
        self._connection.settimeout(SECONDS)  # of an answer that nobody fetches
        self._left -= read
        return read
