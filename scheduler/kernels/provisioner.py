"""How jupyter_client starts, watches and ends forked kernels."""

import contextlib
import glob
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, cast

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Integer

from scheduler.kernels import channel, ownership
from scheduler.kernels.client import KernelStartError, PromptBlockingClient, PromptClient
from scheduler.kernels.folder import private_folder
from scheduler.kernels.process import ForkedProcess, readable
from scheduler.kernels.spec import KERNELS_AT_MOST

START_SECONDS = 60
IDLE_END_SECONDS = 0.25  # in which an idle kernel ends; one that takes longer is busy
_EXTENSIONS = ["--IPKernelApp.extensions=scheduler.kernels.paged_tables"]  # a forked kernel loads it itself
_PROMPT = {AsyncKernelClient: PromptClient, BlockingKernelClient: PromptBlockingClient}


class KernelKilledError(KernelStartError):
    """The kernel was killed before it was ready."""


class ForkProvisioner(LocalProvisioner):
    """Kernels forked from the warm process; ordinary ipykernels where a fork is not safe or not possible."""

    limit = Integer(KERNELS_AT_MOST, config=True, help="how many kernels one owner process may have at once")

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose unix sockets (encrypted TCP where there are none) before the connection file is written."""
        if manager := self.parent:
            manager.client_factory = _PROMPT.get(manager.client_factory, manager.client_factory)
            if sys.platform == "win32":
                manager.transport_encryption = "required"
            elif not manager.ip.startswith(str(private_folder())):
                manager.transport, manager.cache_ports = "ipc", False
                manager.ip = str(private_folder() / uuid.uuid4().hex[:12])
                manager.connection_file = manager.connection_file or f"{manager.ip}.json"
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Have the kernel forked; returns once it is ready."""
        if ownership.available() and _can_fork(kwargs):
            forked = await self._forked(cmd, **kwargs)
            self.process = cast("subprocess.Popen[bytes] | None", forked)  # it has every method that is used
        if self.process is None:
            return await super().launch_kernel([*cmd, *_EXTENSIONS], **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd") or os.getcwd()
        return self.connection_info

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for the end; jupyter_client itself checks only every 0.1 s."""
        if self.parent and (process := self._fork) and not await process.ended(IDLE_END_SECONDS):
            await super().send_signal(signal.SIGINT)
            await process.ended(self.get_shutdown_wait_time(self.parent.shutdown_wait_time) / 2)

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel's process group."""
        ending = self.parent is not None and self.parent.shutting_down
        if signum == signal.SIGINT and ending and self._fork:
            return  # jupyter_client interrupts every kernel that it shuts down; an idle one would print an error
        await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel's process group and wait until the kernel has ended."""
        process = self._fork
        await super().kill(restart)
        if process:
            await process.ended(START_SECONDS)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the sockets of a kernel that was killed."""
        await super().cleanup(restart)
        if self.parent and self.parent.transport == "ipc":
            for file in glob.glob(f"{glob.escape(self.parent.ip)}-*"):
                Path(file).unlink(missing_ok=True)

    @property
    def _fork(self) -> ForkedProcess | None:
        """The kernel's process, if it was forked."""
        process: object = self.process
        return process if isinstance(process, ForkedProcess) else None

    async def _forked(self, cmd: list[str], **kwargs: Any) -> ForkedProcess | None:
        """A forked kernel, or None when no warm process can be started."""
        for last in (False, True):  # twice, as the first warm process may have been killed just now
            try:
                return await self._request(cmd, **kwargs)
            except EOFError:
                continue
            except KernelKilledError:
                if last:
                    raise
        self.log.error("The warm process ended before it could fork (see its message): kernels start slowly.")
        return None

    async def _request(self, cmd: list[str], **kwargs: Any) -> ForkedProcess:
        """Request a kernel and wait for it. Raises EOFError when the warm process has ended, KernelKilledError when the
        kernel was killed."""
        environment = kwargs["env"] | {"JPY_PARENT_PID": str(os.getpid())}
        folder = str(kwargs.get("cwd") or os.getcwd())
        request = {"argv": cmd[cmd.index("-m") + 1 :], "cwd": folder, "env": environment}
        owner = os.pidfd_open(os.getpid())
        request_channel = ownership.request_kernel(environment, self.limit)
        try:
            with contextlib.suppress(OSError):  # refused: the answer says why
                channel.send(request_channel, request, [owner, *_streams(kwargs)])
            if not await readable(request_channel.fileno(), START_SECONDS):
                raise KernelStartError(f"no kernel within {START_SECONDS} s: this machine may be overloaded")
            answer, descriptors = channel.receive(request_channel)
            if not descriptors:
                if why := answer.get("refused"):
                    raise KernelStartError(why)
                error = KernelKilledError if answer["exit"] < 0 else KernelStartError
                raise error(f"the kernel ended with {answer['exit']} while it started")
        except BaseException:
            request_channel.close()  # then a kernel that starts too late ends
            raise
        finally:
            os.close(owner)
        return ForkedProcess(answer["pid"], descriptors[0], request_channel)


def _streams(kwargs: dict[str, Any]) -> list[int]:
    """Descriptors for the kernel's stdout and stderr; by default the owner's."""
    chosen = [kwargs.get(name) or usual for name, usual in (("stdout", 1), ("stderr", 2))]
    return [stream if isinstance(stream, int) else stream.fileno() for stream in chosen]


def _can_fork(kwargs: dict[str, Any]) -> bool:
    """Whether a forked kernel can be started with these options; otherwise subprocess starts an ordinary one."""
    streams = [kwargs.get("stdout"), kwargs.get("stderr")]
    usual = {"env", "cwd", "kernel_id", "stdout", "stderr"}
    special = any(isinstance(s, int) and s < 0 for s in streams)  # PIPE, STDOUT, DEVNULL
    return not special and not any(value for name, value in kwargs.items() if name not in usual)
