"""Limits on wrong tokens: each is answered late, an address with many is locked out for a while, and while many come
from many addresses every answer is delayed. No address is locked out for what others do."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DELAY_SECONDS = 1.0
WRONG_AT_MOST, LOCK_SECONDS, LONGEST_LOCK_SECONDS = 5, 60.0, 900.0
FORGET_SECONDS = 3600.0
# Over all addresses: more wrong tokens a minute than staff mistype; then answers wait, and only so many at once.
BUSY_PER_MINUTE, BUSY_DELAY_SECONDS, WAITING_AT_MOST = 60, 2.0, 50
ADDRESSES_AT_MOST = 4096


class TooManyError(Exception):
    """Too many wrong tokens; the next attempt is allowed after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds))
        super().__init__(f"There were too many wrong tokens from your address. Try again in {self.seconds} seconds.")


@dataclass
class _History:
    wrong: int = 0
    locks: int = 0
    locked_until: float = 0.0
    last: float = field(default=0.0)


class Attempts:
    """Recent attempts by address, in bounded memory."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._histories: OrderedDict[str, _History] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._recent: deque[float] = deque(maxlen=BUSY_PER_MINUTE)
        self._waiting = 0

    async def check(self, address: str, right: bool) -> bool:
        """Return `right` after the delay that this address is due. Raises TooManyError for a locked address, even with
        the right token, and when too many answers are waiting already (never for the right token from an address
        that signed in before)."""
        self._refuse_locked(address)
        busy, known = self.busy, address in self._known
        if not right:
            self._count(address)
        if not (right and (known or not busy)):
            await self._wait(BUSY_DELAY_SECONDS if busy else DELAY_SECONDS)
        if right:
            self._histories.pop(address, None)
            self._known[address] = None
            _drop_oldest(self._known)
        return right

    @property
    def busy(self) -> bool:
        """Whether somebody tries tokens from many addresses."""
        return len(self._recent) == BUSY_PER_MINUTE and self._now() - self._recent[0] < 60

    def _refuse_locked(self, address: str) -> None:
        history = self._histories.get(address)
        if history and history.locked_until > self._now():
            raise TooManyError(history.locked_until - self._now())

    def _count(self, address: str) -> None:
        history = self._histories.pop(address, _History())
        if self._now() - history.last > FORGET_SECONDS:
            history = _History()
        history.wrong, history.last = history.wrong + 1, self._now()
        if history.wrong >= WRONG_AT_MOST:
            lock = min(LOCK_SECONDS * 2**history.locks, LONGEST_LOCK_SECONDS)
            history.wrong, history.locks, history.locked_until = 0, history.locks + 1, self._now() + lock
        self._histories[address] = history
        self._recent.append(self._now())
        _drop_oldest(self._histories)

    async def _wait(self, seconds: float) -> None:
        if self._waiting >= WAITING_AT_MOST:
            raise TooManyError(BUSY_DELAY_SECONDS)
        self._waiting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1


def _drop_oldest(entries: OrderedDict[str, Any]) -> None:
    while len(entries) > ADDRESSES_AT_MOST:
        entries.popitem(last=False)
