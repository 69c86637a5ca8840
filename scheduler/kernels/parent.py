"""The warm process: does the imports, then forks one kernel per request until its owner ends.

While nobody asks it forks a few ahead, which get ready and await their request; each is used once. It opens no thread
and no connection, and it never reads a request: the forked kernel does. So no kernel inherits what another one was
told, the secrets in its environment included."""

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

Ask = Callable[[], socket.socket]

GRACE_SECONDS = 3
AHEAD = 2
QUIET_SECONDS = 0.5  # without a request, before kernels are forked ahead: those who wait come first


class Parent:
    """The loop of the warm process: requests in, kernels out, exit statuses back."""

    def __init__(self, control: socket.socket, owner: int, limit: int) -> None:
        self.limit = limit
        self.owner_lives = True
        self.owner = owner
        self.control: socket.socket | None = control
        self.ahead = AHEAD
        self.kernels: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> (pid, its request)
        self.waiting: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> (pid, where its request will come)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.selector.register(owner, selectors.EVENT_READ)

    def serve(self) -> Ask | None:
        """Serve until the owner ends or has said goodbye and the last kernel is gone: None.

        Comes back a second time in each forked kernel, with what gives or awaits its request."""
        while self.control or self.kernels or self.waiting:
            ready = self.selector.select(QUIET_SECONDS if self._wanted() else None)
            if not ready and self._wanted() and (line := self._forked_ahead()):
                return lambda: channel.passed_on(line)
            for key, _ in ready:
                if key.fd == self.owner:
                    self.owner_lives = False
                    self._end_kernels()
                    return None
                if self.control and key.fileobj is self.control:
                    request = self._request(self.control)
                    if request and not self._handed(request) and self._forked(request):
                        return lambda: request
                    break  # what else is ready may have been buried, and its number given away again
                if key.fd in self.kernels:
                    self._reap(key.fd)
                elif key.fd in self.waiting:
                    self._lost(key.fd)
        return None

    def close(self) -> None:
        """Close every descriptor of the loop (in a kernel: so that it shares none with its siblings)."""
        self.selector.close()
        os.close(self.owner)
        for pidfd, (_, line) in [*self.kernels.items(), *self.waiting.items()]:
            os.close(pidfd)
            line.close()
        self.kernels.clear()
        self.waiting.clear()
        if self.control:
            self.control.close()

    def _request(self, control: socket.socket) -> socket.socket | None:
        """The next request, or None: no more will come, or it was refused."""
        try:
            request = channel.passed_on(control)
        except EOFError:
            self.selector.unregister(control)
            control.close()
            self.control = None
            for _, line in self.waiting.values():
                line.close()  # they end
            return None
        if len(self.kernels) < self.limit:
            return request
        self._refuse(request, f"{self.limit} kernels run already: close one, or wait")
        return None

    def _refuse(self, request: socket.socket, why: str) -> None:
        with contextlib.suppress(OSError), request:  # the asker may have given up
            channel.send(request, {"refused": why})

    def _wanted(self) -> bool:
        """Whether a kernel should be forked ahead."""
        return bool(self.control) and len(self.waiting) < self.ahead

    def _handed(self, request: socket.socket) -> bool:
        """Whether a kernel that was forked ahead took the request."""
        while self.waiting:
            pidfd, (pid, line) = self.waiting.popitem()
            self.kernels[pidfd] = (pid, request)
            with line, contextlib.suppress(OSError):  # killed a moment ago
                channel.pass_on(line, request)
                return True
            del self.kernels[pidfd]
            self._buried(pidfd, pid)
        return False

    def _forked(self, request: socket.socket) -> bool:
        """True in the new kernel, False here."""
        try:
            pid = _fork()
        except OSError as error:
            self._refuse(request, f"this machine has no room for another kernel: {error.strerror}")
            return False
        if pid == 0:
            self.close()
            return True
        self.kernels[self._watched(pid)] = (pid, request)
        return False

    def _forked_ahead(self) -> socket.socket | None:
        """In the new kernel the line on which its request will come, None here."""
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
            self.waiting[self._watched(pid)] = (pid, ours)
        return None

    def _watched(self, pid: int) -> int:
        pidfd = os.pidfd_open(pid)
        self.selector.register(pidfd, selectors.EVENT_READ)
        return pidfd

    def _lost(self, pidfd: int) -> None:
        """A kernel ended before it had a request. When nobody told it to, no other is forked ahead."""
        pid, line = self.waiting.pop(pidfd)
        line.close()
        code = self._buried(pidfd, pid)
        if self.control:
            self.ahead = 0
            print(f"A kernel started ahead ended with {code}: from now on none is.", file=sys.stderr)

    def _buried(self, pidfd: int, pid: int) -> int:
        """The exit code of a dead child."""
        self.selector.unregister(pidfd)
        os.close(pidfd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _reap(self, pidfd: int) -> None:
        """Take a dead kernel's exit status and tell who asked for the kernel."""
        pid, request = self.kernels.pop(pidfd)
        code = self._buried(pidfd, pid)
        with contextlib.suppress(OSError):  # nobody may be interested any more
            channel.send(request, {"exit": code})
        request.close()

    def _end_kernels(self) -> None:
        """End the kernels that wait; the others see their owner's end themselves, and are killed when they do not."""
        for pidfd, (pid, _) in self.waiting.items():
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            self._buried(pidfd, pid)
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
    gc.disable()  # no holes in pages that kernels will share
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel_in = socket.socket(fileno=int(control))
    preload.warm(lambda: not select.select([int(owner)], [], [], 0)[0])  # nobody waits for imports without an owner
    if found := preload.unforkable(ours={channel_in.fileno()}):
        sys.exit(f"kernels cannot be forked, for an import left behind: {', '.join(found)}")
    gc.freeze()
    parent = Parent(channel_in, int(owner), int(limit))
    ask = parent.serve()
    if ask:
        gc.enable()
        from scheduler.kernels import kernel

        kernel.run(ask)
        _leave()
    elif not parent.owner_lives:
        shutil.rmtree(folder, ignore_errors=True)


def _fork() -> int:
    with warnings.catch_warnings():  # of threads (Python 3.12): `unforkable` has looked
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _leave() -> None:
    """End this kernel as multiprocessing ends what it forked: the interpreter's teardown costs 75 ms, for it
    writes to every page that is still shared."""
    threading._shutdown()  # type: ignore[attr-defined]  # not public; multiprocessing calls it too
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
