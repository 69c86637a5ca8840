"""Keeping an open page up with the database, in the kernel's own event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Follower:
    """Reads in a thread and shows in the loop, when asked and when what is shown has become stale."""

    def __init__(self, stale: Callable[[], bool], read: Callable[[], T], show: Callable[[T], None]) -> None:
        self._stale, self._read, self._show = stale, read, show
        self._asked, self._task = asyncio.Event(), None

    def start(self, seconds: float) -> None:
        """Look for something newer every so many seconds while the kernel lives."""
        self._task = asyncio.get_event_loop().create_task(self._run(seconds))

    def ask(self) -> None:
        """Read and show: soon when started, so that quick clicks are one reading; else at once."""
        if self._task is None:
            self._show(self._read())
        else:
            self._asked.set()

    async def _run(self, seconds: float) -> None:
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), seconds)
            except TimeoutError:
                if not await asyncio.to_thread(self._stale):
                    continue
            self._asked.clear()
            self._show(await asyncio.to_thread(self._read))
