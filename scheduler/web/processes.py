"""The pages that people open: Voilà servers for the dashboard and the operations page, and JupyterLab."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scheduler import environment
from scheduler.accounts import server_accounts, shared_folders
from scheduler.embedded import reading
from scheduler.embedded.processes import Server, free_port, last_words, launch
from scheduler.web import voila_server
from t3lib.problems import ServiceError
from t3lib.settings import ROOT, settings

LAB = Path(__file__).with_name("lab")
STARTING_SECONDS, TRIES = 60, 3
PAGES = {"dashboard": ("5_dashboard", "dashboard", 8866), "operations": ("6_operations", "operations", 8867)}


@dataclass(frozen=True)
class Page:
    """A page that is being served."""

    url: str
    server: Server
    token: str = ""

    def answer(self) -> int:
        """HTTP status of the page as a visitor gets it (this runs the notebook)."""
        try:
            asked = urllib.request.Request(self.url, headers={"Authorization": f"token {self.token}"})
            with urllib.request.urlopen(asked, timeout=STARTING_SECONDS) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def page(name: str, port: int = 0) -> Iterator[Page]:
    """Serve 'dashboard' or 'operations' until the block ends.

    Raises ServiceError when it would be open to the network, or does not start."""
    notebook, role, usual = PAGES[name]
    from scheduler.web.auth import access  # a second of imports that commands without a page need not wait for

    access.require_guard(name)
    host, log = settings().pages_host, settings().home / "logs" / f"{name}.log"
    given = access.environment(name)
    run, env, told = _prepared(name, role, given)
    for _ in range(TRIES):
        place = free_port(port or usual, f"{name} page", _say)
        command = run.command(voila_server.command(place, notebook, host))
        server = launch(command, log, told, env=env, cwd=run.folder)
        if listens := _listens(place, server):
            break
        server.stop(patience=5)
        was_taken = _is_taken(place, _reached(host)) or "no available port" in last_words(log)
        if not was_taken:  # it ended for another reason than somebody's being first
            break
    try:
        if not listens:
            raise ServiceError(f"The {name} page did not start. It says: {last_words(log)}")
        if name == "dashboard" and not settings().dashboard_url:
            os.environ["T3_DASHBOARD_URL"] = f"http://{_reached(host)}:{place}/"  # links in this process's mails
            settings.cache_clear()
        yield Page(f"http://{_reached(host)}:{place}/", server, given[access.TOKEN])
    finally:
        server.stop(patience=5)


def _prepared(name: str, role: str, secrets: dict[str, str]) -> tuple[server_accounts.Place, dict[str, str], str]:
    """Where a page runs, its environment, and what it is told apart from that: what others must not read there."""
    run = server_accounts.place(name, _say)
    if name == "operations":
        shared_folders.let_read_all(name, settings().outputs / "runs")
    env = run.told(environment.of(role), role) | {voila_server.TOLD: "1"}
    return run, env, json.dumps(secrets | {"T3_DATABASE_URL": env.pop("T3_DATABASE_URL", "")})


@contextmanager
def lab(port: int = 0) -> Iterator[Page]:
    """Serve JupyterLab on the repository with the analyst's database role."""
    run = server_accounts.place("lab", _say)
    if run.entry:
        shared_folders.let_edit(ROOT / "notebooks", run.entry)
    port = free_port(port or 8888, "JupyterLab", _say)
    log, token = settings().home / "logs" / "lab.log", os.urandom(16).hex()
    paths = os.pathsep.join(filter(None, [str(LAB), os.environ.get("JUPYTER_CONFIG_PATH")]))
    with reading(_say, apart=run.entry is not None) as keys:
        env = run.told(environment.of("analyst"), "analyst") | keys
        env |= {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": paths}
        server = launch(run.command(_lab_command(port)), log, env=env, cwd=run.folder)
        try:
            if not _listens(port, server):
                raise ServiceError(f"JupyterLab did not start. It says: {last_words(log)}")
            yield Page(f"http://127.0.0.1:{port}/lab/tree/notebooks?token={token}", server)
        finally:
            server.stop(patience=5)


def _lab_command(port: int) -> list[str]:
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0",
        f"--ServerApp.root_dir={ROOT}", "--LabApp.default_url=/lab/tree/notebooks",
        "--MultiKernelManager.default_kernel_name=t3", f"--config={LAB / 'config.py'}",
    ]  # fmt: skip
    as_root = os.name == "posix" and os.geteuid() == 0 and not server_accounts.apart()
    return [*command, *(["--allow-root"] if as_root else [])]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _reached(host: str) -> str:
    """The address under which this machine reaches what listens on a host."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _listens(port: int, server: Server) -> bool:
    """Whether this very server takes connections in time; False at once when it ended."""
    end = time.monotonic() + STARTING_SECONDS
    while server.alive and time.monotonic() < end:
        with suppress(psutil.NoSuchProcess):
            held = psutil.Process(server.pid).net_connections("inet")
            if any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in held):
                return True
        time.sleep(0.05)
    return False


def _is_taken(port: int, host: str) -> bool:
    """Whether anybody takes connections there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
