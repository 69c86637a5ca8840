"""Visitors' kernels: limited in number and memory, each reachable by its own visitor only."""

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
    resource = None  # type: ignore[assignment]  # mypy knows the name as a module

# A page needs about 40 MB; with less than the spare memory the machine would start to swap.
PAGE_BYTES, SPARE_BYTES = 40 * 2**20, 300 * 2**20
IDLE_SECONDS, IDLE_CHECK_SECONDS = 45, 15  # a kernel ends within a minute after its page was closed
CHECK_MILLISECONDS = 1000
REMEMBERED = 1000
DIED = "This page stopped unexpectedly on its server. It restarts now; if it happens again, tell T3's operators."
TOO_LARGE = "This page needed too much memory on its server. It restarts now; if it happens again, choose fewer days."


class NoRoomError(Exception):
    """As many visitors as allowed are here, or this machine has no memory for another page."""


class VisitorKernels(AsyncMappingKernelManager):
    """Voilà's kernels with a limit on their number, an owner for each, and an end for those that grow too large."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._starting: set[str] = set()
        self._owners: dict[str, str] = {}
        self._ended: OrderedDict[str, tuple[str, str]] = OrderedDict()  # kernel -> (its owner, the reason)
        self._checks: PeriodicCallback | None = None

    def has_room(self) -> bool:
        """Whether another kernel may be started; kernels that are starting count too."""
        if len(self._kernels.keys() | self._starting) >= settings().visitors_at_most:
            return False
        return psutil.virtual_memory().available - len(self._starting) * PAGE_BYTES > SPARE_BYTES

    async def start_kernel(self, **given: Any) -> str:  # type: ignore[override]  # typed as the blocking manager's
        """Start a kernel for the visitor of the current request. Raises NoRoomError."""
        if not self.has_room():
            raise NoRoomError
        kernel_id = given.setdefault("kernel_id", str(uuid.uuid4()))
        self._starting.add(kernel_id)
        self._owners[kernel_id] = CallContext.get(CallContext.JUPYTER_HANDLER).current_user.username
        try:
            await super().start_kernel(**given)
            self._limit_memory(kernel_id)
        except BaseException:
            self._owners.pop(kernel_id, None)
            raise
        finally:
            self._starting.discard(kernel_id)
        return kernel_id

    def remove_kernel(self, kernel_id: str) -> Any:
        self._owners.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    def is_owner(self, kernel_id: str, visitor: str) -> bool:
        """Whether a kernel runs and belongs to this visitor."""
        return kernel_id in self and self._owners.get(kernel_id) == visitor

    def end_reason(self, kernel_id: str, visitor: str) -> str:
        """Why this visitor's kernel was ended; empty when it was not ended for a reason."""
        owner, why = self._ended.get(kernel_id, ("", ""))
        return why if owner == visitor else ""

    async def end_kernels_of(self, visitor: str) -> None:
        """End all kernels of a visitor."""
        for kernel_id in [one for one, owner in self._owners.items() if owner == visitor]:
            await self._end(kernel_id)

    async def check(self) -> None:
        """End every kernel that uses more memory than a page may, and remove those that died."""
        busy = self._starting | {one for one, kernel in self._kernels.items() if kernel.shutting_down}
        found = {one: kernel for one, kernel in self._kernels.items() if one not in busy}
        sizes = await asyncio.to_thread(lambda: {one: memory(_pid(kernel)) for one, kernel in found.items()})
        for kernel_id, size in sizes.items():
            if size > settings().visitor_bytes:
                self.log.error("Kernel %s used %d MB and was ended.", kernel_id, size // 2**20)
                await self._end(kernel_id, TOO_LARGE)
            elif kernel_id in self and not found[kernel_id].shutting_down and not await found[kernel_id].is_alive():
                self.log.error("Kernel %s died.", kernel_id)
                await self._end(kernel_id, DIED)

    async def _end(self, kernel_id: str, why: str = "") -> None:
        """End a kernel: at once when there is a reason, which its page then shows."""
        if why:
            self._ended[kernel_id] = (self._owners.get(kernel_id, ""), why)
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        with contextlib.suppress(KeyError, tornado.web.HTTPError):  # it ended meanwhile
            await self.shutdown_kernel(kernel_id, now=bool(why))
        for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
            if connection.kernel_id == kernel_id:
                connection.websocket_handler.close(1001, "ended")

    def _limit_memory(self, kernel_id: str) -> None:
        """Check its memory every second, and never let it have more than twice its limit in between."""
        if self._checks is None:
            self._checks = PeriodicCallback(self.check, CHECK_MILLISECONDS)
            self._checks.start()
        pid = _pid(self._kernels[kernel_id])
        if pid and hasattr(resource, "prlimit"):
            with contextlib.suppress(
                OSError, psutil.Error
            ):  # not allowed for another account's process: the checks must do
                limit = psutil.Process(pid).memory_info().data + 2 * settings().visitor_bytes
                resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


def _pid(kernel: Any) -> int:
    """The process id of a kernel; 0 when it has none."""
    return getattr(kernel.provisioner, "pid", None) or 0


def memory(pid: int) -> int:
    """Bytes of a process: with its share of shared pages where the system reports it (PSS), else its resident size."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        resident = process.memory_info().rss
        if resident <= settings().visitor_bytes:  # cheap to read, and never less than PSS
            return resident
        with contextlib.suppress(psutil.Error, AttributeError):
            return process.memory_full_info().pss
        return resident
    return 0
