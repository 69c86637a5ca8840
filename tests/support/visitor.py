"""Somebody who looks at a page: requests with the cookies of one browser, and the websocket of the page's kernel."""

import email.message
import http.cookiejar
import json
import re
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import nbformat
import pytest
import websocket
from nbformat.v4 import new_code_cell, new_notebook

from scheduler.web import processes
from t3lib.settings import settings

Answer = tuple[int, str, email.message.Message]


class Visitor:
    """One browser. `token` is sent with each request, as programs do; `headers` too."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(
        self, path: str = "", data: dict[str, str] | None = None, method: str | None = None, **headers: str
    ) -> Answer:
        """(status, text, headers) of one request; redirections are followed."""
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        asked = urllib.request.Request(self.url + path, body, given, method=method)
        try:
            with self._opener.open(asked, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace"), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace"), error.headers

    def open(self, query: str = "") -> str:
        """The kernel of a page that is opened."""
        status, text, _ = self.ask(query)
        assert status == 200, text
        return kernel_of(text)

    def sign_in(self, typed: str, query: str = "", **headers: str) -> int:
        """The status that a person gets who types a token into the form."""
        form = self.ask("login", None, None, **headers)[1]
        given = {"password": typed, "_xsrf": re.search(r'name="_xsrf" value="([^"]+)"', form)[1]}
        return self.ask(f"login{query}", given, None, **headers)[0]

    @property
    def cookie(self) -> str:
        """The header that this browser sends."""
        return "; ".join(f"{one.name}={one.value}" for one in self.cookies)

    def channel(self, kernel: str, **options: Any) -> websocket.WebSocket:
        """The websocket of a kernel, as this browser opens it."""
        header = [f"{name}: {value}" for name, value in self.headers.items()]
        return channel(self.url, kernel, cookie=self.cookie, header=header, **options)


def kernel_of(html: str) -> str:
    return json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', html, re.DOTALL)[1])["kernelId"]


def channel(url: str, kernel: str, **options: Any) -> websocket.WebSocket:
    address = url.replace("http://", "ws://")
    return websocket.create_connection(f"{address}api/kernels/{kernel}/channels", **{"timeout": 20} | options)


def message(kind: str, **content: object) -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "s", "version": "5.3",
              "date": "2026-11-24T00:00:00Z"}  # fmt: skip
    return json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {"version": "1.0.0"},
                       "content": content, "buffers": []})  # fmt: skip


def states(socket: websocket.WebSocket) -> dict[str, dict]:
    """Every widget's state, as the page's own script asks for it."""
    comm = uuid.uuid4().hex
    socket.send(message("comm_open", comm_id=comm, target_name="jupyter.widget.control", data={}))
    socket.send(message("comm_msg", comm_id=comm, data={"method": "request_states"}))
    while True:
        data = json.loads(socket.recv())["content"].get("data", {})
        if data.get("method") == "update_states":
            return data["states"]


def ends(socket: websocket.WebSocket) -> bool:
    """Whether a kernel says that it ended, or its connection does."""
    try:
        while '"dead"' not in socket.recv():
            socket.send(message("kernel_info_request"))
    except websocket.WebSocketTimeoutException:
        return False
    except (websocket.WebSocketException, OSError):
        return True
    return True


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def serves(monkeypatch: pytest.MonkeyPatch, folder: Path, *cells: str) -> None:
    """The dashboard's server shows a notebook of these cells instead."""
    path = folder / "page.ipynb"
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "t3", "language": "python", "display_name": "T3"}
    nbformat.write(notebook, path)
    usual = processes.voila_server.command

    def command(*page: Any) -> list[str]:
        return [str(path) if part.endswith(".ipynb") else part for part in usual(*page)]

    monkeypatch.setattr(processes.voila_server, "command", command)


def patched(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The dashboard's server runs this first: for faults that cannot be had otherwise."""
    usual = processes.voila_server.command
    program = f"import sys; from scheduler.web import voila_server\n{code}\nvoila_server.main(sys.argv[1:])"
    monkeypatch.setattr(
        processes.voila_server, "command", lambda *page: [sys.executable, "-c", program, *usual(*page)[3:]]
    )


def trickle(port: int, start: bytes, most: float) -> float:
    """Seconds until a server drops a client that sends a byte every half second after this start."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        begun = time.monotonic()
        connection.sendall(start)
        connection.settimeout(0.5)
        while time.monotonic() - begun < most:
            try:
                if not connection.recv(1000):
                    break
            except TimeoutError:
                pass
            except OSError:
                break
            try:
                connection.sendall(b"x")
            except OSError:
                break
        return time.monotonic() - begun


def raw(port: int, request: bytes) -> bytes:
    """What a server answers to these bytes before it closes the connection or falls silent for two seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        found = b""
        connection.settimeout(2)
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                found += part
        except OSError:
            pass
        return found
