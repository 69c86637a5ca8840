"""Voilà as T3 runs it: one notebook, own template, nothing of Jupyter to be seen or reached."""

import ctypes
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from scheduler import kernels
from scheduler.kernels.client import LATE_OUTPUT
from t3lib.dashboard.shared import FOLDER
from t3lib.settings import ROOT
from t3lib.urls import Scrubbed

if TYPE_CHECKING:
    from scheduler.access import Rules

OPERATIONS = "6_operations"
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
    return [sys.executable, "-m", "scheduler.dashboard", str(path), f"--port={port}", f"--Voila.ip={host}"]


def main(arguments: list[str]) -> None:
    """Run the server until it is told to stop."""
    os.umask(0o077)
    sys.stderr = Scrubbed(sys.stderr)
    # Voilà finds templates in the folders of JUPYTER_PATH only.
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    from scheduler.access import Rules

    if os.environ.pop(TOLD, ""):
        _take_told(sys.stdin)
    rules = Rules.taken()
    kernels.warm()  # the first visitor need not wait for the imports
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="t3-figures-") as folder:
        os.environ[FOLDER] = folder  # its pages share what they read
        _server(rules).launch_instance(arguments, config=Config(_config(rules)))


def _take_told(told: TextIO) -> None:
    """Take the secrets that came by the standard input, where others cannot read them as they can an environment, and
    let kernels, which have this process's account, not read its memory."""
    os.environ.update(json.load(told))
    if sys.platform == "linux" and Path(f"/proc/{os.getppid()}").stat().st_uid != os.geteuid():
        ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)


def _server(visitors: "Rules") -> type:
    """Voilà with T3's answer to visitors and its static files (a function: importing Voilà takes a second)."""
    from jupyter_server.base.handlers import FileFindHandler
    from jupyter_server.utils import url_path_join
    from voila.app import Voila
    from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
    from voila.tornado.handler import TornadoVoilaHandler

    from scheduler import statics, visits

    own = {TornadoVoilaHandler: visits.VisitHandler}
    own |= {found: statics.of(found) for found in (FileFindHandler, MultiStaticFileHandler, TemplateStaticFileHandler)}

    class Server(Voila):
        name = "voila"
        rules = visitors

        def initialize(self, argv: list[str] | None = None) -> None:
            super().initialize(argv)
            self.log.setLevel(self.log_level)  # else a record is made for every message of every kernel, and dropped

        def init_settings(self) -> dict:
            # A page that lets everybody in only answers to this machine's own names: no site can rebind another.
            return super().init_settings() | {"allow_remote_access": visitors.any}

        def init_handlers(self) -> list:
            folder = statics.version(self.static_paths)
            self.voila_configuration.extension_config = {"t3": {"static": folder}}  # the template asks for it
            found = [(path, own.get(handler, handler), *rest) for path, handler, *rest in super().init_handlers()]
            own_pages = self._copies() if Path(self.notebook_path or "").stem == OPERATIONS else self._letters()
            routes = [(url_path_join(self.server_url, path), handler) for path, handler in own_pages]
            return [*routes, self._lasting(folder), *found]

        def _lasting(self, folder: str) -> tuple:
            """Voilà's own scripts under an address that changes with them."""
            path = url_path_join(self.server_url, f"/voila/static/{folder}/(.*)")
            return path, statics.of(MultiStaticFileHandler, lasts=True), {"paths": self.static_paths}

        def _copies(self) -> list:
            """Executed notebooks, for those who get the operations page."""
            from scheduler import copies

            return [(copies.PATH, copies.CopyHandler)]

        def _letters(self) -> list:
            """The mails that were sent, for those who get the dashboard."""
            from scheduler import letters

            return [(letters.LIST, letters.ListHandler), (letters.ONE, letters.MailHandler)]

    return Server


def _config(rules: "Rules") -> dict[str, dict[str, object]]:
    return {
        "Voila": {
            "identity_provider_class": "scheduler.access.Visitors",
            # Who signed in stays so after a restart, and until the token changes.
            "cookie_secret": hashlib.sha256(f"t3 {rules.token or os.urandom(32).hex()}".encode()).digest(),
            "open_browser": False,
            "port_retries": 0,
            "config_file_paths": [],
            "tornado_settings": {
                "headers": {
                    "Content-Security-Policy": POLICY,
                    "X-Content-Type-Options": "nosniff",
                    "Referrer-Policy": "same-origin",
                },
            },
        },
        "VoilaConfiguration": {
            "template": "t3",
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "strip_sources": True,
            "show_tracebacks": False,
            "file_allowlist": [],
            "http_header_envs": [rules.user_header] if rules.user_header else [],
            "extension_allowlist": [
                "ipecharts",
                "@jupyter-widgets/jupyterlab-manager",
                "@voila-dashboards/widgets-manager8",
            ],
        },
        "VoilaExecutor": LATE_OUTPUT,
        "KernelManager": {"transport": "ipc"},
        "MappingKernelManager": {
            "cull_idle_timeout": IDLE_SECONDS,
            "cull_interval": 15,
            "cull_connected": False,
        },
    }


if __name__ == "__main__":
    main(sys.argv[1:])
