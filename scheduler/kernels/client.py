"""Clients that know at once when a kernel is ready.

jupyter_client's own wait ends with 0.2 s of listening for silence. ipykernel greets each new subscriber
(JEP 65), and says "idle" when a request is done: after both, nothing older can be on its way."""

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.client import KernelClient
from jupyter_core.utils import ensure_async, run_sync

# For whatever executes notebooks by nbclient, which waits 4 s for outputs behind the reply: then a cell whose output is
# late on an overloaded machine would be one without output.
LATE_OUTPUT = {"iopub_timeout": 120, "raise_on_iopub_timeout": True}


class KernelStartError(RuntimeError):
    """A kernel could not be had; this machine is overloaded, or somebody killed it."""


class _Prompt(KernelClient):
    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers and its output channel is connected and empty."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        await self._greeted()
        while not await self._answered(self.kernel_info()):
            if not await self._async_is_alive():
                raise KernelStartError("Kernel died before replying to kernel_info")
            if time.monotonic() > deadline:
                raise KernelStartError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _greeted(self, seconds: float = 0.2) -> None:
        """Wait for the first message on iopub. A plain kernel greets its first subscriber only."""
        try:
            await ensure_async(self.iopub_channel.get_msg(timeout=seconds))
        except Empty:
            self.log.debug("no greeting on iopub within %s s", seconds)

    async def _answered(self, request: str, seconds: float = 1) -> bool:
        """Whether the reply to a kernel_info request, and "idle" after it, came in time."""
        try:
            while True:
                reply = await ensure_async(self.shell_channel.get_msg(timeout=seconds))
                if reply["parent_header"].get("msg_id") == request:
                    break
            self._handle_kernel_info_reply(reply)
            while True:
                message = await ensure_async(self.iopub_channel.get_msg(timeout=seconds))
                idle = message["content"].get("execution_state") == "idle"
                if idle and message["parent_header"].get("msg_id") == request:
                    return True
        except Empty:
            return False


class PromptClient(_Prompt, AsyncKernelClient):
    """For AsyncKernelManager: nbclient, Voilà."""

    wait_for_ready = _Prompt._async_wait_for_ready


class PromptBlockingClient(_Prompt, BlockingKernelClient):
    """For KernelManager: scripts and tests."""

    wait_for_ready = run_sync(_Prompt._async_wait_for_ready)
