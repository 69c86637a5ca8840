"""Turns a forked process into an ordinary ipykernel."""

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

from scheduler.kernels import channel, paged_tables, preload
from scheduler.kernels.spec import CONFIGURING_VARIABLES, OPTIONS


def run(wait_request: Callable[[], socket.socket]) -> None:
    """Prepare a kernel, wait for the request, apply it, and run until the kernel is shut down."""
    app = KernelApp.instance(kernel_class=Kernel, wait_request=wait_request)
    try:
        app.initialize(OPTIONS)
    except EOFError:
        return  # the requester has ended, or the warm process takes no more requests
    except OtherConfigurationError as error:
        KernelApp.clear_instance()
        app = KernelApp.instance(kernel_class=Kernel, wait_request=None)
        app.accept(error.request, error.owner)
        app.initialize(error.arguments)
    register_widgets()
    paged_tables.load_ipython_extension(app.shell)
    app.start()


def _configuring(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which IPython finds its configuration."""
    return {name: value for name, value in environment.items() if name.startswith(CONFIGURING_VARIABLES)}


def redirect_streams(streams: list[int]) -> None:
    """Read from nothing, and write where the owner wants it."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *streams), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)


def replace_environment(variables: dict[str, str]) -> None:
    """Replace the environment, and reset what modules read from the old one at import."""
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    if settings := sys.modules.get("t3lib.settings"):
        settings.settings.cache_clear()
    if matplotlib := sys.modules.get("matplotlib"):
        backend = variables.get("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        matplotlib.rcParams["backend"] = backend


def reseed() -> None:
    """Seed the random numbers of this process (ssl, uuid and secrets use the system's)."""
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def register_widgets() -> None:
    """Register the comm target, which ipywidgets does on import, but here it was imported before there was a kernel."""
    if ipywidgets := sys.modules.get("ipywidgets"):
        ipywidgets.register_comm_target()


def announce(request: socket.socket) -> None:
    """Tell the owner that clients may connect, and send it a descriptor of this process.

    Ends this process when the owner no longer waits for it."""
    this = os.pidfd_open(os.getpid())
    try:
        with request:
            channel.send(request, {"pid": os.getpid()}, [this])
    except OSError:
        os._exit(1)
    os.close(this)


def end_with(owner: int, clean: Callable[[], None]) -> None:
    """End this process at once when its owner ends, however that happens."""

    def wait() -> None:
        select.select([owner], [], [])
        clean()
        os._exit(1)

    threading.Thread(target=wait, name="owner watch", daemon=True).start()


class OtherConfigurationError(Exception):
    """The request has other options or another configuration than the kernel has been prepared with."""

    def __init__(self, request: socket.socket, owner: int, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.request, self.owner, self.arguments = request, owner, arguments


class KernelApp(IPKernelApp):
    """ipykernel's application for a process that its owner did not start itself, without TCP.

    It reads its configuration before it waits for its request."""

    def __init__(self, wait_request: Callable[[], socket.socket] | None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.wait_request = wait_request

    def init_connection_file(self) -> None:
        """Wait for the request first: from here on everything depends on it."""
        if self.wait_request:
            self.apply_request(self.wait_request())
        super().init_connection_file()

    def apply_request(self, request: socket.socket) -> None:
        """Read the request and apply it to this process. Raises OtherConfigurationError."""
        message, (owner, *streams) = channel.receive(request)
        configured = _configuring(os.environ)
        os.setsid()
        redirect_streams(streams)
        os.chdir(message["cwd"])
        replace_environment(message["env"])
        reseed()
        module, *arguments = message["argv"]
        found = importlib.util.find_spec(module)
        sys.argv = [found.origin if found and found.origin else module, *arguments]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if [*arguments[:1], *arguments[2:]] != ["-f", *OPTIONS] or _configuring(os.environ) != configured:
            raise OtherConfigurationError(request, owner, arguments)
        self.connection_file = arguments[1]
        self.accept(request, owner)

    def accept(self, request: socket.socket, owner: int) -> None:
        """Announce this kernel to its owner once it listens, and end with the owner."""
        self.on_listening = lambda: announce(request)
        end_with(owner, self.remove_files)

    def init_poller(self) -> None:
        """Do not watch the parent process, which may end before this kernel; `end_with` watches the owner."""
        self.parent_handle = os.getppid()  # so that ipykernel prints no instructions for connecting by hand

    def init_iopub(self, context: zmq.Context[Any]) -> None:
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_socket.xpub_verbose = True  # welcome every subscriber, not only the first
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
        """Run until shut down, then stop the control thread before the output thread. ipykernel stops them in the other
        order, and now and then waits 10 s for a control thread that waits for its output to be flushed."""
        super().start()
        if self.control_thread.is_alive():
            self.control_thread.stop()
            self.control_thread.join()

    def remove_files(self) -> None:
        """Remove the connection file and the sockets, and their folder if this was its last kernel."""
        for file in (self.abs_connection_file, *glob.glob(f"{glob.escape(self.ip)}-*")):
            with contextlib.suppress(OSError):  # already removed
                os.unlink(file)
        with contextlib.suppress(OSError):  # not empty: other kernels have files in it
            Path(self.ip).parent.rmdir()


class Kernel(ipkernel.IPythonKernel):
    """ipykernel's kernel, but the debugger's list of imported files comes from the warm process: building it here would
    touch every module and so copy 15 MB of memory that all kernels share."""

    def __init__(self, **kwargs: object) -> None:
        with _hidden_modules():
            super().__init__(**kwargs)
        self._kernel_modules = preload.files
        if hasattr(self, "debugger"):
            self.debugger.kernel_modules = preload.files


@contextlib.contextmanager
def _hidden_modules() -> Iterator[None]:
    """Hide all modules from ipykernel's constructor, which lists them; there is no setting against it."""
    replacement = ModuleType("sys")
    replacement.__dict__.update(vars(sys) | {"modules": {}})
    ipkernel.sys = replacement
    try:
        yield
    finally:
        ipkernel.sys = sys


class OutputThread(IOPubThread):
    """Receives the output of processes that the kernel forks over a Unix socket, where ipykernel uses TCP."""

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
        context = zmq.Context()  # a ZeroMQ context cannot be used after a fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self.address)
        return context, pipe
