"""Wrong tokens: each is answered late, an address with many is locked out for a while, and while many come from
everywhere all are slowed. Nobody is locked out for what others do."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DELAY_SECONDS = 1.0
WRONG_AT_MOST, LOCK_SECONDS, LONGEST_LOCK_SECONDS = 5, 60.0, 900.0
FORGET_SECONDS = 3600.0
# From everywhere: more wrong ones a minute than staff mistype; then one waits, and not too many may wait at once.
BUSY_PER_MINUTE, BUSY_DELAY_SECONDS, WAITING_AT_MOST = 60, 2.0, 50
ADDRESSES_AT_MOST = 4096


class TooManyError(Exception):
    """No more is tried now; `seconds` says when it may be."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, round(seconds))
        super().__init__(f"Too many wrong tokens came from your address. Try again in {self.seconds} seconds.")


@dataclass
class _Past:
    wrong: int = 0
    locks: int = 0
    locked_until: float = 0.0
    last: float = field(default=0.0)


class Attempts:
    """Who tried what of late, in bounded memory."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pasts: OrderedDict[str, _Past] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._recent: deque[float] = deque(maxlen=BUSY_PER_MINUTE)
        self._waiting = 0

    async def judged(self, address: str, right: bool) -> bool:
        """The same answer, in its time. Raises TooManyError, whatever was tried, for a locked address and, while all
        are slowed, for one from which nobody has signed in yet and that finds no room to wait."""
        self._refuse_locked(address)
        busy, known = self.busy, address in self._known
        if not right:
            self._count(address)
        if not (right and (known or not busy)):
            await self._wait(BUSY_DELAY_SECONDS if busy else DELAY_SECONDS)
        if right:
            self._pasts.pop(address, None)
            self._known[address] = None
            _keep_few(self._known)
        return right

    @property
    def busy(self) -> bool:
        """Whether somebody tries tokens from many places."""
        return len(self._recent) == BUSY_PER_MINUTE and self._now() - self._recent[0] < 60

    def _refuse_locked(self, address: str) -> None:
        past = self._pasts.get(address)
        if past and past.locked_until > self._now():
            raise TooManyError(past.locked_until - self._now())

    def _count(self, address: str) -> None:
        past = self._pasts.pop(address, _Past())
        if self._now() - past.last > FORGET_SECONDS:
            past = _Past()
        past.wrong, past.last = past.wrong + 1, self._now()
        if past.wrong >= WRONG_AT_MOST:
            lock = min(LOCK_SECONDS * 2**past.locks, LONGEST_LOCK_SECONDS)
            past.wrong, past.locks, past.locked_until = 0, past.locks + 1, self._now() + lock
        self._pasts[address] = past
        self._recent.append(self._now())
        _keep_few(self._pasts)

    async def _wait(self, seconds: float) -> None:
        if self._waiting >= WAITING_AT_MOST:
            raise TooManyError(BUSY_DELAY_SECONDS)
        self._waiting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1


def _keep_few(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > ADDRESSES_AT_MOST:
        kept.popitem(last=False)
