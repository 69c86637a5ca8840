"""The kernels of visitors: no more than there are places, each its visitor's alone, each within its memory."""

import asyncio
import contextlib
import uuid
from collections import OrderedDict
from typing import Any

import psutil
import tornado.web
from jupyter_server import CallContext
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import PeriodicCallback

from t3lib.settings import settings

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# A page needs about 40 MB; below what is spare the machine would begin to swap for everybody.
PAGE_BYTES, SPARE_BYTES = 40 * 2**20, 300 * 2**20
WATCH_MILLISECONDS = 1000
REMEMBERED = 1000
DIED = "This page ended unexpectedly on its server. It starts again now; if it happens again, tell whoever runs T3."
GREW = "This page had grown too large for its server. It starts again now; choose fewer days if it happens again."


class NoPlaceError(Exception):
    """Every place is taken, or this machine has no memory for another page."""


class Kernels(AsyncMappingKernelManager):
    """Voilà's kernels, with a place taken before one starts, an owner, and an end for one that grows too large."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._starting: set[str] = set()
        self._owners: dict[str, str] = {}
        self._ended: OrderedDict[str, tuple[str, str]] = OrderedDict()  # kernel -> (its owner, why)
        self._watch: PeriodicCallback | None = None

    def has_place(self) -> bool:
        """Whether another kernel may be started; those that are about to start count."""
        if len(self._kernels.keys() | self._starting) >= settings().visitors_at_most:
            return False
        return psutil.virtual_memory().available - len(self._starting) * PAGE_BYTES > SPARE_BYTES

    async def start_kernel(self, **given: Any) -> str:  # type: ignore[override]  # typed as the blocking manager's
        """Start one for the visitor whose request is being answered. Raises NoPlaceError."""
        if not self.has_place():
            raise NoPlaceError
        kernel_id = given.setdefault("kernel_id", str(uuid.uuid4()))
        self._starting.add(kernel_id)
        self._owners[kernel_id] = CallContext.get(CallContext.JUPYTER_HANDLER).current_user.username
        try:
            await super().start_kernel(**given)
            self._bound(kernel_id)
        except BaseException:
            self._owners.pop(kernel_id, None)
            raise
        finally:
            self._starting.discard(kernel_id)
        return kernel_id

    def remove_kernel(self, kernel_id: str) -> Any:
        self._owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    def owned(self, kernel_id: str, visitor: str) -> bool:
        """Whether a kernel runs and is this visitor's."""
        return kernel_id in self and self._owners.get(kernel_id) == visitor

    def ended(self, kernel_id: str, visitor: str) -> str:
        """Why this visitor's kernel was ended; empty when it was not."""
        owner, why = self._ended.get(kernel_id, ("", ""))
        return why if owner == visitor else ""

    async def end_all_of(self, visitor: str) -> None:
        """End what a visitor has open."""
        for kernel_id in [one for one, owner in self._owners.items() if owner == visitor]:
            await self._end(kernel_id)

    async def look(self) -> None:
        """End every kernel that has grown above what one page may use, and bury those that died."""
        busy = self._starting | {one for one, kernel in self._kernels.items() if kernel.shutting_down}
        found = {one: kernel for one, kernel in self._kernels.items() if one not in busy}
        sizes = await asyncio.to_thread(lambda: {one: memory(_pid(kernel)) for one, kernel in found.items()})
        for kernel_id, size in sizes.items():
            if size > settings().visitor_bytes:
                self.log.error("Kernel %s used %d MB and was ended.", kernel_id, size // 2**20)
                await self._end(kernel_id, GREW)
            elif kernel_id in self and not found[kernel_id].shutting_down and not await found[kernel_id].is_alive():
                self.log.error("Kernel %s died.", kernel_id)
                await self._end(kernel_id, DIED)

    async def _end(self, kernel_id: str, why: str = "") -> None:
        """End one; for a reason, which its page is told, at once."""
        if why:
            self._ended[kernel_id] = (self._owners.get(kernel_id, ""), why)
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        with contextlib.suppress(KeyError, tornado.web.HTTPError):  # it ended meanwhile
            await self.shutdown_kernel(kernel_id, now=bool(why))
        for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
            if connection.kernel_id == kernel_id:
                connection.websocket_handler.close(1001, "ended")

    def _bound(self, kernel_id: str) -> None:
        """Watch its memory, and let it have no more than twice of what it may even between two looks."""
        if self._watch is None:
            self._watch = PeriodicCallback(self.look, WATCH_MILLISECONDS)
            self._watch.start()
        pid = _pid(self._kernels[kernel_id])
        if pid and hasattr(resource, "prlimit"):
            with contextlib.suppress(OSError, psutil.Error):  # another account's: the watch has to do
                most = psutil.Process(pid).memory_info().data + 2 * settings().visitor_bytes
                resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def _pid(kernel: Any) -> int:
    """A kernel's process; 0 when it has none."""
    return getattr(kernel.provisioner, "pid", None) or 0


def memory(pid: int) -> int:
    """Bytes of a process: its share of what it has in common with others where the system tells, else all of it."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        resident = process.memory_info().rss
        if resident <= settings().visitor_bytes:  # cheap to know, and never less than its share
            return resident
        with contextlib.suppress(psutil.Error, AttributeError):
            return process.memory_full_info().pss
        return resident
    return 0
