"""Voilà as T3 runs it: one notebook, own template, nothing of Jupyter to be seen or reached."""

import ctypes
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from scheduler import kernels
from scheduler.kernels.client import LATE_OUTPUT
from t3lib.dashboard.shared_figures import FOLDER
from t3lib.dashboard.visitor import HEADER
from t3lib.settings import ROOT, settings
from t3lib.urls import Scrubbed

if TYPE_CHECKING:
    from scheduler.web.auth.access import Rules

TEMPLATES = ROOT / "t3lib" / "dashboard" / "template"
IDLE_SECONDS = 45
TOLD = "T3_TOLD"  # set where the rest comes by the standard input
_DUMPABLE = 4  # of prctl(2)

# Widgets set styles of their own; nothing else comes from elsewhere or runs inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def command(port: int, notebook: str = "5_dashboard", host: str = "127.0.0.1") -> list[str]:
    """The command line that serves a notebook, of `notebooks/` when it is given by its name, on a port."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    return [sys.executable, "-m", "scheduler.web.voila_server", str(path), f"--port={port}", f"--Voila.ip={host}"]


def main(arguments: list[str]) -> None:
    """Run the server until it is told to stop."""
    os.umask(0o077)
    sys.stderr = Scrubbed(sys.stderr)
    # Voilà finds templates in the folders of JUPYTER_PATH only.
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    from scheduler.web import log_lines
    from scheduler.web.auth.access import Rules

    if os.environ.pop(TOLD, ""):
        _take_told(sys.stdin)
    log_lines.keep_short()
    rules = Rules.taken()
    kernels.warm()  # the first visitor need not wait for the imports
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="t3-figures-") as folder:
        os.environ[FOLDER] = folder  # its pages share what they read
        from scheduler.web.handlers import Server  # importing Voilà takes a second

        Server.rules, Server.page_name = rules, (page := Path(arguments[0]).stem)
        Server.launch_instance(arguments, config=Config(_config(rules, page)))


def _take_told(told: TextIO) -> None:
    """Take the secrets that came by the standard input, where others cannot read them as they can an environment, and
    let kernels, which have this process's account, not read its memory."""
    os.environ.update(json.load(told))
    if sys.platform == "linux" and Path(f"/proc/{os.getppid()}").stat().st_uid != os.geteuid():
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def _config(rules: "Rules", page: str) -> dict[str, Mapping[str, object]]:
    from scheduler.web.auth import sessions
    from scheduler.web.auth.access import SESSIONS
    from scheduler.web.visitors import admission, channels
    from scheduler.web.visitors import kernels as web_kernels

    return {
        "Voila": {
            "identity_provider_class": "scheduler.web.auth.access.Visitors",
            "cookie_secret": sessions.key(rules.token, page, settings().home / SESSIONS),
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
            "template": "t3",
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "strip_sources": True,
            "show_tracebacks": False,
            "prelaunch_hook": admission.offer_sign_out,
            "multi_kernel_manager_class": web_kernels.Kernels,
            "file_allowlist": [],
            "http_header_envs": [HEADER, *filter(None, [rules.user_header])],
            "extension_allowlist": [
                "ipecharts",
                "@jupyter-widgets/jupyterlab-manager",
                "@voila-dashboards/widgets-manager8",
            ],
        },
        "VoilaExecutor": LATE_OUTPUT,
        "KernelManager": {"transport": "ipc", "autorestart": False},  # a new kernel knows nothing of its page
        "MappingKernelManager": {
            "cull_idle_timeout": IDLE_SECONDS,
            "cull_interval": 15,
            "cull_connected": False,
        },
    }


if __name__ == "__main__":
    main(sys.argv[1:])
