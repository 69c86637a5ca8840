"""Starts and stops the servers of the pages: Voilà for the dashboard and the operations page, and JupyterLab."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from scheduler import environment
from scheduler.accounts import server_accounts, shared_folders
from scheduler.embedded import read_only_buckets
from scheduler.embedded.processes import Server, free_port, launch, log_end
from scheduler.web import voila_server
from t3lib.problems import ServiceError
from t3lib.settings import ROOT, settings

LAB = Path(__file__).with_name("lab")
START_SECONDS, ATTEMPTS = 60, 3
PORT_TAKEN = ("no available port", "already in use")  # what the servers say of a port taken since it was found free
PAGES = {"dashboard": ("5_dashboard", "dashboard", 8866), "operations": ("6_operations", "operations", 8867)}


@dataclass(frozen=True)
class Page:
    """A page that is being served."""

    url: str
    server: Server
    token: str = ""

    def answer(self) -> int:
        """The HTTP status of a visit, which executes the notebook."""
        try:
            request = urllib.request.Request(self.url, headers={"Authorization": f"token {self.token}"})
            with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
                response.read()
                return response.status
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def page(name: str, port: int = 0) -> Iterator[Page]:
    """Serve 'dashboard' or 'operations' until the block ends.

    Raises ServiceError when the page would be open to the network without sign-in, or does not start."""
    notebook, role, default_port = PAGES[name]
    from scheduler.web.auth import access  # takes a second, which commands without a page need not wait for

    access.require_guard(name)
    host, log = settings().pages_host, settings().home / "logs" / f"{name}.log"
    secrets = access.environment(name)
    run, env, stdin = _prepare(name, role, secrets)
    port, server = _start(
        f"{name} page", port or default_port, lambda free: run.command(voila_server.command(free, notebook, host)), log,
        host=_local_address(host), stdin=stdin, env=env, cwd=run.folder,
    )  # fmt: skip
    url = f"http://{_local_address(host)}:{port}/"
    try:
        with _linked_in_mails(url) if name == "dashboard" and not settings().dashboard_url else nullcontext():
            yield Page(url, server, secrets[access.TOKEN])
    finally:
        server.stop(wait_seconds=5)


@contextmanager
def _linked_in_mails(url: str) -> Iterator[None]:
    """Mails that this process and its children send meanwhile have links to this address."""
    os.environ["T3_DASHBOARD_URL"] = url
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ.pop("T3_DASHBOARD_URL", None)
        settings.cache_clear()


def _prepare(name: str, role: str, secrets: dict[str, str]) -> tuple[server_accounts.Place, dict[str, str], str]:
    """Where a page runs, its environment, and the secrets for its standard input, which other processes cannot read."""
    run = server_accounts.place(name, _say)
    if name == "operations":
        shared_folders.let_read_all(name, settings().outputs / "runs")
    env = run.environment(environment.of(role), role) | {voila_server.SECRETS_ON_STDIN: "1"}
    return run, env, json.dumps(secrets | {"T3_DATABASE_URL": env.pop("T3_DATABASE_URL", "")})


@contextmanager
def lab(port: int = 0) -> Iterator[Page]:
    """Serve JupyterLab on the repository with the analyst's database role."""
    run = server_accounts.place("lab", _say)
    if run.entry:
        shared_folders.let_edit(ROOT / "notebooks", run.entry)
    log, token = settings().home / "logs" / "lab.log", os.urandom(16).hex()
    paths = os.pathsep.join(filter(None, [str(LAB), os.environ.get("JUPYTER_CONFIG_PATH")]))
    with read_only_buckets(_say, own_account=run.entry is not None) as keys:
        env = run.environment(environment.of("analyst"), "analyst") | keys
        env |= {"JUPYTER_TOKEN": token, "JUPYTER_CONFIG_PATH": paths, "T3_LAB": "1"}
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])  # for `t3`
        port, server = _start(
            "JupyterLab server",
            port or 8888,
            lambda free: run.command(_lab_command(free)),
            log,
            env=env,
            cwd=run.folder,
        )
        try:
            yield Page(f"http://127.0.0.1:{port}/lab/tree/notebooks?token={token}", server)
        finally:
            server.stop(wait_seconds=5)


def _start(
    what: str, port: int, command: Callable[[int], list[str]], log: Path, *, host: str = "127.0.0.1", **options: Any
) -> tuple[int, Server]:
    """The port and the server of `command(port)`, once it listens: on `port`, or on another that is free.

    Raises ServiceError with the end of its log when it does not start."""
    for _ in range(ATTEMPTS):
        listen_port = free_port(port, what, _say)
        server = launch(command(listen_port), log, **options)
        if _wait_listening(listen_port, server):
            return listen_port, server
        server.stop(wait_seconds=5)
        port_taken = _is_in_use(listen_port, host) or any(words in log_end(log) for words in PORT_TAKEN)
        if not port_taken:  # then another port would not help
            break
    raise ServiceError(f"The {what} did not start. Its log ends with: {log_end(log)}")


def _lab_command(port: int) -> list[str]:
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0",
        f"--ServerApp.root_dir={ROOT}", "--LabApp.default_url=/lab/tree/notebooks",
        "--MultiKernelManager.default_kernel_name=t3", f"--config={LAB / 'config.py'}",
    ]  # fmt: skip
    as_root = os.name == "posix" and os.geteuid() == 0 and not server_accounts.enabled()
    return [*command, *(["--allow-root"] if as_root else [])]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _local_address(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _wait_listening(port: int, server: Server) -> bool:
    """Whether this server, and no other program, listens on the port in time; False at once when it ended."""
    end = time.monotonic() + START_SECONDS
    while server.alive and time.monotonic() < end:
        with suppress(psutil.NoSuchProcess):
            connections = psutil.Process(server.pid).net_connections("inet")
            if any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in connections):
                return True
        time.sleep(0.05)
    return False


def _is_in_use(port: int, host: str) -> bool:
    """Whether some program listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
