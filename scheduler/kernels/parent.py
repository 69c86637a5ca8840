"""The warm process: does the imports, then forks one kernel per request until its owner ends.

While there are no requests it forks a few kernels ahead, which prepare and wait for theirs; each is used once. It opens
no thread and no connection, and it never reads a request: the forked kernel does. So no kernel inherits the environment
of another one, with its secrets."""

import atexit
import contextlib
import gc
import os
import select
import selectors
import shutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from scheduler.kernels import channel, preload

WaitRequest = Callable[[], socket.socket]

GRACE_SECONDS = 3
AHEAD = 2
QUIET_SECONDS = 0.5  # without requests before kernels are forked ahead: requests come first


class Parent:
    """The loop of the warm process: receives requests, forks kernels, reports their exit codes."""

    def __init__(self, control: socket.socket, owner: int, limit: int) -> None:
        self.limit = limit
        self.owner_alive = True
        self.owner = owner
        self.control: socket.socket | None = control
        self.ahead = AHEAD
        self.kernels: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> (pid, its request's channel)
        self.waiting: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> (pid, the line for its request)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.selector.register(owner, selectors.EVENT_READ)

    def serve(self) -> WaitRequest | None:
        """Serve until the owner ends, or has closed the control socket and the last kernel has ended; returns None.

        In each forked kernel it returns a function that waits for that kernel's request."""
        while self.control or self.kernels or self.waiting:
            ready = self.selector.select(QUIET_SECONDS if self._wanted() else None)
            if not ready and self._wanted() and (line := self._fork_ahead()):
                return lambda: channel.receive_channel(line)
            for key, _ in ready:
                if key.fd == self.owner:
                    self.owner_alive = False
                    self._end_kernels()
                    return None
                if self.control and key.fileobj is self.control:
                    request = self._next_request(self.control)
                    if request and not self._hand_over(request) and self._fork_for(request):
                        return lambda: request
                    break  # the other descriptors may have been closed and reused meanwhile
                if key.fd in self.kernels:
                    self._reap(key.fd)
                elif key.fd in self.waiting:
                    self._reap_waiting(key.fd)
        return None

    def close(self) -> None:
        """Close every descriptor of the loop; a forked kernel must not share them with the others."""
        self.selector.close()
        os.close(self.owner)
        for pidfd, (_, line) in [*self.kernels.items(), *self.waiting.items()]:
            os.close(pidfd)
            line.close()
        self.kernels.clear()
        self.waiting.clear()
        if self.control:
            self.control.close()

    def _next_request(self, control: socket.socket) -> socket.socket | None:
        """The next request; None when there will be no more, or when it was refused."""
        try:
            request = channel.receive_channel(control)
        except EOFError:
            self.selector.unregister(control)
            control.close()
            self.control = None
            for _, line in self.waiting.values():
                line.close()  # ends the waiting kernel
            return None
        if len(self.kernels) < self.limit:
            return request
        self._refuse(request, f"{self.limit} kernels run already: close one, or wait until one ends")
        return None

    def _refuse(self, request: socket.socket, why: str) -> None:
        with contextlib.suppress(OSError), request:  # the requester may have given up
            channel.send(request, {"refused": why})

    def _wanted(self) -> bool:
        """Whether a kernel should be forked ahead."""
        return bool(self.control) and len(self.waiting) < self.ahead

    def _hand_over(self, request: socket.socket) -> bool:
        """Give the request to a kernel that was forked ahead; False when there is none."""
        while self.waiting:
            pidfd, (pid, line) = self.waiting.popitem()
            self.kernels[pidfd] = (pid, request)
            with line, contextlib.suppress(OSError):  # killed a moment ago
                channel.send_channel(line, request)
                return True
            del self.kernels[pidfd]
            self._exit_code(pidfd, pid)
        return False

    def _fork_for(self, request: socket.socket) -> bool:
        """Fork a kernel for the request; True in the new kernel, False in this process."""
        try:
            pid = _fork()
        except OSError as error:
            self._refuse(request, f"this machine has no room for another kernel: {error.strerror}")
            return False
        if pid == 0:
            self.close()
            return True
        self.kernels[self._watch(pid)] = (pid, request)
        return False

    def _fork_ahead(self) -> socket.socket | None:
        """Fork a kernel ahead; returns the line for its request in the new kernel, None in this process."""
        ours, theirs = socket.socketpair()
        try:
            pid = _fork()
        except OSError:
            self.ahead, pid = 0, -1
        if pid == 0:
            self.close()
            ours.close()
            return theirs
        theirs.close()
        if pid > 0:
            self.waiting[self._watch(pid)] = (pid, ours)
        return None

    def _watch(self, pid: int) -> int:
        pidfd = os.pidfd_open(pid)
        self.selector.register(pidfd, selectors.EVENT_READ)
        return pidfd

    def _reap_waiting(self, pidfd: int) -> None:
        """Reap a kernel that ended before it had a request; if it failed by itself, stop forking ahead."""
        pid, line = self.waiting.pop(pidfd)
        line.close()
        code = self._exit_code(pidfd, pid)
        if self.control:
            self.ahead = 0
            print(f"A kernel that was forked ahead ended with {code}: no more are forked ahead.", file=sys.stderr)

    def _exit_code(self, pidfd: int, pid: int) -> int:
        """Reap a dead child; returns its exit code."""
        self.selector.unregister(pidfd)
        os.close(pidfd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _reap(self, pidfd: int) -> None:
        """Reap a dead kernel and send its exit code to the requester."""
        pid, request = self.kernels.pop(pidfd)
        code = self._exit_code(pidfd, pid)
        with contextlib.suppress(OSError):  # the requester may have ended
            channel.send(request, {"exit": code})
        request.close()

    def _end_kernels(self) -> None:
        """Kill the waiting kernels; the others end with their owner by themselves, and are killed when they do not.

        They do not where a cell never lets another thread run: the thread that watches the owner does not run then."""
        for pidfd, (pid, _) in self.waiting.items():
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            self._exit_code(pidfd, pid)
        self._reap_all()
        for pid, _ in self.kernels.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self._reap_all()

    def _reap_all(self) -> None:
        """Reap kernels until none is left, or none ended for GRACE_SECONDS."""
        while self.kernels and (ready := select.select(list(self.kernels), [], [], GRACE_SECONDS)[0]):
            for pidfd in ready:
                self._reap(pidfd)


def main() -> None:
    control, owner, limit, folder = sys.argv[1:]
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]  # as ipykernel_launcher does: the kernel adds its own working directory
    gc.disable()  # collecting would leave gaps in memory pages that the kernels are to share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel_in = socket.socket(fileno=int(control))
    preload.warm(lambda: not select.select([int(owner)], [], [], 0)[0])  # stop importing when the owner has ended
    if found := preload.unforkable(ours={channel_in.fileno()}):
        sys.exit(f"kernels cannot be forked: an import started {', '.join(found)}")
    gc.freeze()
    parent = Parent(channel_in, int(owner), int(limit))
    wait_request = parent.serve()
    if wait_request:
        gc.enable()
        from scheduler.kernels import kernel

        kernel.run(wait_request)
        _leave()
    elif not parent.owner_alive:
        shutil.rmtree(folder, ignore_errors=True)


def _fork() -> int:
    with warnings.catch_warnings():  # Python 3.12 warns of threads; `unforkable` has checked them
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _leave() -> None:
    """End this kernel as multiprocessing ends its children: the interpreter's normal teardown writes to every page that
    is still shared, which takes 75 ms."""
    threading._shutdown()  # type: ignore[attr-defined]  # not public; multiprocessing calls it too
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
