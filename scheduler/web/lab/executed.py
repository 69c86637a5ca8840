"""The executed copy of a notebook's last run, read-only in a tab of JupyterLab; a server extension of `t3 lab`."""

import asyncio
import re
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import nbformat
import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from scheduler.runs import dry_run
from scheduler.web import executed_notebooks
from t3lib.settings import settings

POLICY = executed_notebooks.POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


class LastRunHandler(JupyterHandler):
    """Shows the newest executed copy of ?notebook=NAME to those who are signed in to JupyterLab."""

    @tornado.web.authenticated
    async def get(self) -> None:
        name = self.get_query_argument("notebook")
        if not _NAME.fullmatch(name):
            raise tornado.web.HTTPError(400, "notebook is a notebook's name")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "no-store")
        self.finish(await asyncio.to_thread(page, name))


def page(name: str) -> str:
    """The executed copy of the notebook's last run as a page without scripts, or a page that says there is none."""
    path = last_copy(name)
    if path is None:
        said = f"<p>{escape(name)} was not run here yet: choose T3, Dry Run of This Notebook.</p>"
        return executed_notebooks.html_page("No executed copy", "", said, "")
    if path.stat().st_size > executed_notebooks.MAX_BYTES:
        return executed_notebooks.html_page(name, "", f"<p>It is too large to be shown: {escape(str(path))}</p>", "")
    notebook = nbformat.read(path, as_version=4)
    facts = executed_notebooks.listed(_facts(notebook, path))
    return executed_notebooks.html_page(name, facts, executed_notebooks.render(notebook), "")


def last_copy(name: str) -> Path | None:
    """The newest executed copy of a notebook among dry runs and runs of the schedule that are kept here."""
    dry, runs = settings().outputs / dry_run.FOLDER, settings().outputs / "runs"
    found = [*_of_last_day(dry, f"{name}-??????-??????.ipynb"), *_of_last_day(runs, f"*/{name}.ipynb")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _of_last_day(folder: Path, pattern: str) -> list[Path]:
    """What there is of the last day that has any: there is a folder for each day."""
    for day in sorted(folder.glob("????-??-??"), reverse=True):
        if found := list(day.glob(pattern)):
            return found
    return []


def _facts(notebook: Any, path: Path) -> dict[str, Any]:
    ran = notebook.metadata.get("papermill", {})
    given = ", ".join(f"{name} = {value}" for name, value in ran.get("parameters", {}).items() if value != "")
    ended = datetime.fromtimestamp(path.stat().st_mtime, settings().zone)
    return {
        "State": "failed" if ran.get("exception") else "succeeded",
        "Ended": f"{ended:%a %-d %b %Y %H:%M}",
        "Parameters": given or "defaults",
        "File": path,
    }


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    path = url_path_join(server.web_app.settings["base_url"], "t3/executed")
    server.web_app.add_handlers(".*$", [(path, LastRunHandler)])
