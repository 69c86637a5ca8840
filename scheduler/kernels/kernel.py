"""What a forked process does to become an ordinary ipykernel."""

import contextlib
import glob
import importlib.util
import os
import random
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import zmq
from ipykernel import ipkernel
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from zmq.eventloop.zmqstream import ZMQStream

from scheduler.kernels import channel, preload
from scheduler.kernels.spec import CONFIGURING_VARIABLES, OPTIONS


def run(ask: Callable[[], socket.socket]) -> None:
    """Get ready, await the request, become what it asks for, and run until the kernel is shut down."""
    app = KernelApp.instance(kernel_class=Kernel, ask=ask)
    try:
        app.initialize(OPTIONS)
    except EOFError:
        return  # who asked has gone, or nobody ever will
    except Unusual as unusual:
        KernelApp.clear_instance()
        app = KernelApp.instance(kernel_class=Kernel, ask=None)
        app.accept(unusual.request, unusual.owner)
        app.initialize(unusual.arguments)
    register_widgets()
    app.start()


def _configuring(environment: Mapping[str, str]) -> dict[str, str]:
    """What leads IPython to its configuration."""
    return {name: value for name, value in environment.items() if name.startswith(CONFIGURING_VARIABLES)}


def take_streams(streams: list[int]) -> None:
    """Read nothing, and write where the owner said."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *streams), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)


def take_environment(variables: dict[str, str]) -> None:
    """Replace the whole environment, and what was read from the old one at import."""
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    if settings := sys.modules.get("t3lib.settings"):
        settings.settings.cache_clear()
    if matplotlib := sys.modules.get("matplotlib"):
        backend = variables.get("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        matplotlib.rcParams["backend"] = backend


def renew_randomness() -> None:
    """Give this process random numbers of its own (ssl, uuid and secrets ask the system each time)."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def register_widgets() -> None:
    """Do what importing ipywidgets does in a kernel, where it was imported before there was one."""
    if ipywidgets := sys.modules.get("ipywidgets"):
        ipywidgets.register_comm_target()


def announce(request: socket.socket) -> None:
    """Tell the owner that clients may connect now, with a descriptor that ends when this process does.

    A kernel that nobody waits for any more ends."""
    this = os.pidfd_open(os.getpid())
    try:
        with request:
            channel.send(request, {"pid": os.getpid()}, [this])
    except OSError:
        os._exit(1)
    os.close(this)


def watch(owner: int, clean: Callable[[], None]) -> None:
    """End this process at once when its owner ends, however that happens."""

    def wait() -> None:
        select.select([owner], [], [])
        clean()
        os._exit(1)

    threading.Thread(target=wait, name="owner watch", daemon=True).start()


class Unusual(Exception):
    """A request that is not like those which a kernel gets ready for."""

    def __init__(self, request: socket.socket, owner: int, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.request, self.owner, self.arguments = request, owner, arguments


class KernelApp(IPKernelApp):
    """ipykernel's application for a process whose parent is not its owner, without any TCP.

    It reads its configuration before it awaits its request."""

    def __init__(self, ask: Callable[[], socket.socket] | None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.ask = ask

    def init_connection_file(self) -> None:
        """The first thing that depends on the request."""
        if self.ask:
            self.await_request(self.ask)
        super().init_connection_file()

    def await_request(self, ask: Callable[[], socket.socket]) -> None:
        """Wait for the request and do as it says. Raises Unusual when this application was made ready for another."""
        request = ask()
        message, (owner, *streams) = channel.receive(request)
        configured = _configuring(os.environ)
        os.setsid()
        take_streams(streams)
        os.chdir(message["cwd"])
        take_environment(message["env"])
        renew_randomness()
        module, *arguments = message["argv"]
        found = importlib.util.find_spec(module)
        sys.argv = [found.origin if found and found.origin else module, *arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if [*arguments[:1], *arguments[2:]] != ["-f", *OPTIONS] or _configuring(os.environ) != configured:
            raise Unusual(request, owner, arguments)
        self.connection_file = arguments[1]
        self.accept(request, owner)

    def accept(self, request: socket.socket, owner: int) -> None:
        """Belong to an owner, who waits for a kernel that listens."""
        self.on_listening = lambda: announce(request)
        watch(owner, self.remove_files)

    def init_poller(self) -> None:
        """The owner is watched by its descriptor; our parent process may end before us."""
        self.parent_handle = os.getppid()  # somebody manages this kernel: greet nobody on stdout

    def init_iopub(self, context: zmq.Context[Any]) -> None:
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_socket.xpub_verbose = True  # greet every subscriber, not only the first
        self._apply_curve_server_options(self.iopub_socket)
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = OutputThread(f"ipc://{self.ip}-output", self.iopub_socket, self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def write_connection_file(self, **kwargs: object) -> None:
        super().write_connection_file(**kwargs)  # type: ignore[arg-type]  # ipykernel means typing's Any, not traitlets'
        self.on_listening()

    def start(self) -> None:
        """Run until shut down; then stop listening before output stops. ipykernel does the reverse, and then
        now and again waits 10 s for a control thread that waits for its output to be flushed."""
        super().start()
        if self.control_thread.is_alive():
            self.control_thread.stop()
            self.control_thread.join()

    def remove_files(self) -> None:
        """Remove the connection file and the sockets, and their folder when it was the last kernel's."""
        for file in (self.abs_connection_file, *glob.glob(f"{glob.escape(self.ip)}-*")):
            with contextlib.suppress(OSError):  # gone already
                os.unlink(file)
        with contextlib.suppress(OSError):  # not empty: other kernels clean up after themselves
            Path(self.ip).parent.rmdir()


class Kernel(ipkernel.IPythonKernel):
    """ipykernel's kernel, with the list of imported files that the warm process made for the debugger: making it here
    would touch every module, and so copy 15 MB of pages that all kernels share."""

    def __init__(self, **kwargs: object) -> None:
        with _no_modules_to_list():
            super().__init__(**kwargs)
        self._kernel_modules = preload.files
        if hasattr(self, "debugger"):
            self.debugger.kernel_modules = preload.files


@contextlib.contextmanager
def _no_modules_to_list() -> Iterator[None]:
    """Let ipykernel's constructor, which knows no setting for it, find no imported module."""
    empty = ModuleType("sys")
    empty.__dict__.update(vars(sys) | {"modules": {}})
    ipkernel.sys = empty
    try:
        yield
    finally:
        ipkernel.sys = sys


class OutputThread(IOPubThread):
    """Output of processes that the kernel forks comes over a unix socket; ipykernel's own takes TCP."""

    def __init__(self, address: str, socket: zmq.Socket[Any], session: object) -> None:
        self.address = address
        super().__init__(socket, pipe=True, session=session)

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = os.urandom(16)
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(self.address)
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[zmq.Context[Any], zmq.Socket[Any]]:
        context = zmq.Context()  # a context does not survive a fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self.address)
        return context, pipe
