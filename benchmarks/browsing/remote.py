"""Visitors without a browser: the requests that a browser sends and waits for, without drawing the page.

On one machine twenty Chromiums take some fifty processor seconds themselves. To measure the server, all but one of
the visitors at once are of this kind. Each gets the page, joins its kernel's channel, requests the state of every
widget as the page's own script does, and is live once it has it."""

import asyncio
import json
import re
import time
import uuid
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect

TIMEOUT_SECONDS = 120.0
_KERNEL = re.compile(r'"kernelId": ?"([0-9a-f-]{36})"')
_FIGURE = re.compile(r'data-figure="gross_sales_pence">([^<]+)<')


class Remote:
    """One visitor of T3's page; `first` and `live` are seconds since the request."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, uuid.uuid4().hex
        self._channel: ClientConnection | None = None
        self.first = self.live = float("inf")
        self.figure, self._typed = "", ""

    async def arrive(self, stack: AsyncExitStack) -> "Remote":
        """Get the page and every widget's state."""
        begin = time.perf_counter()
        page = ""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client, client.stream("GET", self._url) as answer:
            async for part in answer.aiter_text():
                page += part
                if not self.figure and (found := _FIGURE.search(page)):
                    self.first, self.figure = time.perf_counter() - begin, found[1]
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())  # of the kernel's visitor
        kernel = _KERNEL.search(page)
        if kernel:
            address = f"ws://{urlsplit(self._url).netloc}/api/kernels/{kernel[1]}/channels?session_id={self._session}"
            headers = {"Cookie": cookie} if cookie else {}
            opening = connect(address, additional_headers=headers, max_size=None, open_timeout=TIMEOUT_SECONDS)
            self._channel = await stack.enter_async_context(opening)
            await self._states()
            self.live = time.perf_counter() - begin
        return self

    async def choose(self, query: str, wanted: str) -> float:
        """Type a choice into the page's hidden field: seconds until the wanted figure arrives."""
        begin = time.perf_counter()
        content = {"comm_id": self._typed, "data": {"method": "update", "state": {"value": query}, "buffer_paths": []}}
        await self._send("comm_msg", content)
        await self.sees(wanted)
        return time.perf_counter() - begin

    async def sees(self, wanted: str) -> float:
        """The moment (perf_counter) at which a figure arrives."""
        mark = f'data-figure="gross_sales_pence">{wanted}<'
        while mark not in str((await self._received())["content"].get("data", {}).get("state", {}).get("value", "")):
            pass
        return time.perf_counter()

    async def _states(self) -> None:
        comm = uuid.uuid4().hex
        await self._send("kernel_info_request", {})
        await self._send("comm_open", {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}})
        await self._send("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        while True:
            content = (await self._received())["content"]
            if content.get("data", {}).get("method") == "update_states":
                break
        states = content["data"]["states"]
        (self._typed,) = (name for name, one in states.items() if "t3-typed" in one["state"].get("_dom_classes", ()))

    async def _received(self) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return json.loads(await self._open().recv())

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": self._session,
                  "version": "5.3", "date": "2026-11-26T00:00:00Z"}  # fmt: skip
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {"version": "1.0.0"},
                   "content": content, "buffers": []}  # fmt: skip
        await self._open().send(json.dumps(message))

    def _open(self) -> ClientConnection:
        if self._channel is None:
            raise SystemExit("A page had no kernel.")
        return self._channel


async def arrive(url: str, count: int, stack: AsyncExitStack) -> list[Remote]:
    """Let so many arrive at the same moment; they stay until the stack is closed."""
    return list(await asyncio.gather(*(Remote(url).arrive(stack) for _ in range(count))))
