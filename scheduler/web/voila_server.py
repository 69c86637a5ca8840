"""Serves one notebook by Voilà with T3's template; none of Jupyter's own pages can be reached.

Runs as a process of its own: `python -m scheduler.web.voila_server NOTEBOOK --port=N`."""

import ctypes
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from scheduler import kernels
from scheduler.kernels.client import LATE_OUTPUT
from t3lib.dashboard.shared_figures import FOLDER
from t3lib.dashboard.visitor import HEADER
from t3lib.settings import ROOT, settings
from t3lib.urls import Scrubbed

if TYPE_CHECKING:
    from scheduler.web.auth.access import Rules

TEMPLATES = ROOT / "t3lib" / "dashboard" / "template"
SECRETS_ON_STDIN = "T3_SECRETS_ON_STDIN"  # set when the secrets come by the standard input
_PR_SET_DUMPABLE = 4  # see prctl(2)

# How a page looks, here and in JupyterLab: its template, and the extensions that its widgets need.
LOOK = {
    "template": "t3",
    "strip_sources": True,
    "extension_allowlist": [
        "ipecharts",
        "@jupyter-widgets/jupyterlab-manager",
        "@voila-dashboards/widgets-manager8",
    ],
}
# Inline styles are for widgets, which set their own; nothing else is inline or from another server.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def command(port: int, notebook: str = "5_dashboard", host: str = "127.0.0.1") -> list[str]:
    """The command line that serves a notebook of `notebooks/` on a port."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    return [sys.executable, "-m", "scheduler.web.voila_server", str(path), f"--port={port}", f"--Voila.ip={host}"]


def main(arguments: list[str]) -> None:
    """Run the server until SIGTERM."""
    os.umask(0o077)
    sys.stderr = Scrubbed(sys.stderr)
    # Voilà looks for templates only in the folders of JUPYTER_PATH.
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    from scheduler.web import log_lines
    from scheduler.web.auth.access import Rules

    if os.environ.pop(SECRETS_ON_STDIN, ""):
        _read_secrets(sys.stdin)
    log_lines.shorten_records()
    rules = Rules.from_environment()
    kernels.warm()  # so that the first visitor does not wait for the imports
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="t3-figures-") as folder:
        os.environ[FOLDER] = folder  # all visitors of this server share the figures that were read
        from scheduler.web.handlers import Server  # importing Voilà takes a second

        Server.rules, Server.page_name = rules, (page := Path(arguments[0]).stem)
        Server.launch_instance(arguments, config=Config(_config(rules, page)))


def _read_secrets(stdin: TextIO) -> None:
    """Set the variables that came by the standard input: other processes of this account can read an environment, but
    not that. Where the page has an account of its own, its kernels cannot read this process's memory either."""
    os.environ.update(json.load(stdin))
    if sys.platform == "linux" and Path(f"/proc/{os.getppid()}").stat().st_uid != os.geteuid():
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _config(rules: "Rules", page: str) -> dict[str, Mapping[str, Any]]:
    from scheduler.web.auth import sessions
    from scheduler.web.auth.access import SESSIONS
    from scheduler.web.visitors import admission, channels
    from scheduler.web.visitors.kernels import IDLE_CHECK_SECONDS, IDLE_SECONDS, VisitorKernels

    return {
        "Voila": {
            "identity_provider_class": "scheduler.web.auth.access.Visitors",
            "cookie_secret": sessions.cookie_key(rules.token, page, settings().home / SESSIONS),
            "kernel_websocket_connection_class": channels.Connection,
            "open_browser": False,
            "port_retries": 0,
            "config_file_paths": [],
            "tornado_settings": {
                "headers": {
                    "Content-Security-Policy": POLICY,
                    "X-Content-Type-Options": "nosniff",
                    "Referrer-Policy": "same-origin",
                    "Cross-Origin-Opener-Policy": "same-origin",
                },
            },
        },
        "VoilaConfiguration": {
            **LOOK,
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "show_tracebacks": False,
            "prelaunch_hook": admission.offer_sign_out,
            "multi_kernel_manager_class": VisitorKernels,
            "file_allowlist": [],
            "http_header_envs": [HEADER, *filter(None, [rules.user_header])],
        },
        "VoilaExecutor": LATE_OUTPUT,
        "KernelManager": {
            "transport": "ipc",
            "autorestart": False,
        },  # a restarted kernel would have lost the state of its page
        "MappingKernelManager": {
            "cull_idle_timeout": IDLE_SECONDS,
            "cull_interval": IDLE_CHECK_SECONDS,
            "cull_connected": False,
        },
    }


if __name__ == "__main__":
    main(sys.argv[1:])
