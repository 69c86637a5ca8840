"""Clients that detect at once that a kernel is ready.

jupyter_client waits until no message has come for 0.2 s. But ipykernel sends a welcome message to each new subscriber
(JEP 65), and the status "idle" when a request is done: after both, no earlier message can arrive."""

import time
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.client import KernelClient
from jupyter_core.utils import ensure_async, run_sync

# Settings of nbclient, which by default waits only 4 s for outputs after a cell's reply; later ones, as they come on an
# overloaded machine, would be lost.
LATE_OUTPUT = {"iopub_timeout": 120, "raise_on_iopub_timeout": True}


class KernelStartError(RuntimeError):
    """No kernel could be started: the machine is overloaded, or the kernel was killed."""


class _Prompt(KernelClient):
    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its output channel is connected and empty."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        await self._wait_welcome()
        while not await self._wait_reply(self.kernel_info()):
            if not await self._async_is_alive():
                raise KernelStartError("Kernel died before replying to kernel_info")
            if time.monotonic() > deadline:
                raise KernelStartError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _wait_welcome(self, seconds: float = 0.2) -> None:
        """Wait for the first message on iopub; an ordinary ipykernel welcomes its first subscriber only."""
        try:
            await ensure_async(self.iopub_channel.get_msg(timeout=seconds))
        except Empty:
            self.log.debug("no welcome message on iopub within %s s", seconds)

    async def _wait_reply(self, request: str, seconds: float = 1) -> bool:
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
