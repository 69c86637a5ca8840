"""A forked kernel as its owner sees it: like subprocess.Popen, though it is not the owner's child."""

import asyncio
import os
import select
import signal
import socket

from scheduler.kernels import channel

EXIT_CODE_SECONDS = 1


class ForkedProcess:
    """A process identified by its descriptor, so that a reused process id is never mistaken for it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int, request: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._channel = request

    def poll(self) -> int | None:
        """None while it runs, then its exit code: negative for a signal, 1 when it is not known."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end; returns the exit code, or None when it still runs after the timeout."""
        if self.returncode is None and self._ended(timeout):
            self.returncode = self._exit_code()
            os.close(self._pidfd)
            self._channel.close()
        return self.returncode

    async def ended(self, seconds: float) -> bool:
        """Wait until it ends, at most so many seconds; returns whether it has ended."""
        return self.returncode is not None or await readable(self._pidfd, seconds)

    def send_signal(self, signum: int) -> None:
        """Signal this process only; the provisioner signals its group."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> bool:
        poll = select.poll()  # select() cannot handle descriptors above 1023, which a busy server has
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def _exit_code(self) -> int:
        """The exit code, from the warm process, which reaps kernels; 1 when that was killed before."""
        self._channel.settimeout(EXIT_CODE_SECONDS)
        try:
            return channel.receive(self._channel)[0]["exit"]
        except (EOFError, OSError):
            return 1


async def readable(descriptor: int, seconds: float) -> bool:
    """Wait until a descriptor is readable, at most so many seconds; returns whether it is."""
    loop = asyncio.get_running_loop()
    copy = os.dup(descriptor)  # an event loop has one reader per descriptor number, and several may wait
    ready = asyncio.Event()
    loop.add_reader(copy, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), seconds)
        return True
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(copy)
        os.close(copy)
