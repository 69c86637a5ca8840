"""The warm process: does the imports, then forks one kernel per request until its owner ends.

It opens no thread and no connection, and it never reads a request: the forked kernel does. So no kernel
inherits what another one was told, the secrets in its environment included."""

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
from pathlib import Path

from scheduler.kernels import channel, preload

GRACE_SECONDS = 3


class Parent:
    """The loop of the warm process: requests in, kernels out, exit statuses back."""

    def __init__(self, control: socket.socket, owner: int, limit: int) -> None:
        self.limit = limit
        self.owner_lives = True
        self.owner = owner
        self.control: socket.socket | None = control
        self.kernels: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> (pid, its request)
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.selector.register(owner, selectors.EVENT_READ)

    def serve(self) -> socket.socket | None:
        """Serve until the owner ends or has said goodbye and the last kernel is gone: None.

        Comes back a second time in each forked kernel, with the request to read."""
        while self.control or self.kernels:
            for key, _ in self.selector.select():
                if key.fd == self.owner:
                    self.owner_lives = False
                    self._end_kernels()
                    return None
                if key.fileobj is self.control:
                    request = self._request()
                    if request and self._forked(request):
                        return request
                elif key.fd in self.kernels:
                    self._reap(key.fd)
        return None

    def close(self) -> None:
        """Close every descriptor of the loop (in a kernel: so that it shares none with its siblings)."""
        self.selector.close()
        os.close(self.owner)
        for pidfd, (_, request) in self.kernels.items():
            os.close(pidfd)
            request.close()
        self.kernels.clear()
        if self.control:
            self.control.close()

    def _request(self) -> socket.socket | None:
        """The next request, or None: no more will come, or it was refused."""
        _, fds, _, _ = socket.recv_fds(self.control, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not fds:
            self.selector.unregister(self.control)
            self.control = self.control.close()
            return None
        request = socket.socket(fileno=fds[0])
        if len(self.kernels) < self.limit:
            return request
        self._refuse(request, f"{self.limit} kernels run already: close one, or wait")
        return None

    def _refuse(self, request: socket.socket, why: str) -> None:
        with contextlib.suppress(OSError), request:  # the asker may have given up
            channel.send(request, {"refused": why})

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
        pidfd = os.pidfd_open(pid)
        self.kernels[pidfd] = (pid, request)
        self.selector.register(pidfd, selectors.EVENT_READ)
        return False

    def _reap(self, pidfd: int) -> None:
        """Take a dead kernel's exit status and tell who asked for the kernel."""
        pid, request = self.kernels.pop(pidfd)
        self.selector.unregister(pidfd)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(OSError):  # nobody may be interested any more
            channel.send(request, {"exit": code})
        request.close()

    def _end_kernels(self) -> None:
        """Kernels see their owner's end themselves; those that do not are killed."""
        self.selector.unregister(self.owner)
        for signum in (None, signal.SIGKILL):
            for pid, _ in self.kernels.values() if signum else ():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signum)
            while self.kernels and (ready := self.selector.select(GRACE_SECONDS)):
                for key, _ in ready:
                    if key.fd in self.kernels:
                        self._reap(key.fd)
                    else:
                        self.selector.unregister(key.fileobj)  # the control channel: nobody is behind it


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
    request = parent.serve()
    if request:
        gc.enable()
        from scheduler.kernels import kernel

        kernel.run(request)
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
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
