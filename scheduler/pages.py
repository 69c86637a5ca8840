"""The pages that people open: Voilà servers for the dashboard and the operations page, and JupyterLab."""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scheduler import dashboard, kernels
from scheduler.embedded.processes import Server, free_port, last_words, launch
from scheduler.runner import kernel_environment
from t3lib.problems import ServiceError
from t3lib.settings import ROOT, settings

STARTING_SECONDS = 60
PAGES = {"dashboard": ("5_dashboard", "dashboard", 8866), "operations": ("6_operations", "operations", 8867)}


@dataclass(frozen=True)
class Page:
    """A page that is being served."""

    url: str
    server: Server

    def answer(self) -> int:
        """HTTP status of the page as a visitor gets it (this runs the notebook)."""
        try:
            with urllib.request.urlopen(self.url, timeout=STARTING_SECONDS) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def page(name: str, port: int = 0) -> Iterator[Page]:
    """Serve 'dashboard' or 'operations' on the loopback until the block ends.

    Raises ServiceError when it does not start."""
    notebook, role, usual = PAGES[name]
    kernels.install(settings().home)
    place = free_port(port or usual, f"{name} page", _say)
    log = settings().home / "logs" / f"{name}.log"
    server = launch(dashboard.command(place, notebook), log, env=kernel_environment(role))
    try:
        if not _listens(place, server):
            raise ServiceError(f"The {name} page did not start. It says: {last_words(log)}")
        if name == "dashboard" and not settings().dashboard_url:
            os.environ["T3_DASHBOARD_URL"] = f"http://127.0.0.1:{place}/"  # links in this process's mails
            settings.cache_clear()
        yield Page(f"http://127.0.0.1:{place}/", server)
    finally:
        server.stop(patience=5)


@contextmanager
def lab(port: int = 0) -> Iterator[Page]:
    """Serve JupyterLab on the repository with the analyst's database role."""
    kernels.install(settings().home)
    place = free_port(port or 8888, "JupyterLab", _say)
    log = settings().home / "logs" / "lab.log"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={place}", "--port-retries=0",
        f"--ServerApp.root_dir={ROOT}", "--LabApp.default_url=/lab/tree/notebooks",
        "--MultiKernelManager.default_kernel_name=t3",
    ]  # fmt: skip
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    token = os.urandom(16).hex()
    server = launch(command, log, env=kernel_environment("analyst") | {"JUPYTER_TOKEN": token})
    try:
        if not _listens(place, server):
            raise ServiceError(f"JupyterLab did not start. It says: {last_words(log)}")
        yield Page(f"http://127.0.0.1:{place}/lab/tree/notebooks?token={token}", server)
    finally:
        server.stop(patience=5)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _listens(port: int, server: Server) -> bool:
    """Whether the server takes connections in time; False at once when it ended."""
    end = time.monotonic() + STARTING_SECONDS
    while server.alive and time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False
