"""A forked kernel seen from its owner: like subprocess.Popen, though it is not the owner's child."""

import asyncio
import os
import select
import signal
import socket

from scheduler.kernels import channel

REAPED_SECONDS = 1


class ForkedProcess:
    """A process known by its descriptor, so that its number can never mean another process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int, wire: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._wire = wire

    def poll(self) -> int | None:
        """None while it runs, then its exit code, negative for a signal (1 when nobody can know it)."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit code, or None when it still runs after the timeout."""
        if self.returncode is None and self._ended(timeout):
            self.returncode = self._exit_code()
            os.close(self._pidfd)
            self._wire.close()
        return self.returncode

    async def ended(self, seconds: float) -> bool:
        """Whether it ends within so many seconds, known at once."""
        return self.returncode is not None or await readable(self._pidfd, seconds)

    def send_signal(self, signum: int) -> None:
        """Signal the process alone (its group is the provisioner's business)."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> bool:
        poll = select.poll()  # select() knows no descriptor above 1023, and a busy server has them
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def _exit_code(self) -> int:
        """As told by the warm process, which reaps; it may have been killed before."""
        self._wire.settimeout(REAPED_SECONDS)
        try:
            return channel.receive(self._wire)[0]["exit"]
        except (EOFError, OSError):
            return 1


async def readable(descriptor: int, seconds: float) -> bool:
    """Whether a descriptor has something to read within so many seconds."""
    loop = asyncio.get_running_loop()
    copy = os.dup(descriptor)  # a loop keeps one waiter per descriptor number, and several may wait
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
