"""Refresh of an open page in the kernel's event loop."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Follower(Generic[T]):
    """Reads in a thread and shows in the event loop, on request and whenever the page is stale."""

    def __init__(self, stale: Callable[[], bool], read: Callable[[], T], show: Callable[[T], None]) -> None:
        self._stale, self._read, self._show = stale, read, show
        self._requested = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> None:
        """Check for newer figures every so many seconds until the kernel ends."""
        self._task = asyncio.get_event_loop().create_task(self._run(seconds))

    def request_refresh(self) -> None:
        """Read and show: at once before `start`; afterwards soon, so that quick clicks cost one reading."""
        if self._task is None:
            self._show(self._read())
        else:
            self._requested.set()

    async def _run(self, seconds: float) -> None:
        while True:
            try:
                await asyncio.wait_for(self._requested.wait(), seconds)
            except TimeoutError:
                if not await asyncio.to_thread(self._stale):
                    continue
            self._requested.clear()
            self._show(await asyncio.to_thread(self._read))
