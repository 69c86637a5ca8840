"""Executed notebooks, shown read-only beside the operations page, without scripts."""

import asyncio
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import nbformat
import nh3
import sqlalchemy as sa
import tornado.web
from jupyter_server.base.handlers import JupyterHandler

from t3lib import warehouse
from t3lib.dashboard.operations import cells
from t3lib.problems import explain
from t3lib.settings import ROOT, settings

PATH = r"/runs/([A-Za-z0-9_-]{1,64})"
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
POLICY += "frame-ancestors 'none'"
MAX_BYTES = 40 * 2**20
PAGE = ROOT / "t3lib" / "dashboard" / "template" / "voila" / "templates" / "t3" / "executed_notebook.html"
BACK = '<a class="t3-back" href="../">Operations</a>'

_TAGS = {"a", "abbr", "acronym", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "div", "dl",
         "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p",
         "pre", "s", "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
         "thead", "tr", "ul"}  # fmt: skip
_ATTRIBUTES = {
    "*": {"class", "title", "lang"},
    "a": {"href"},
    "img": {"alt", "width", "height", "src"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_SCHEMES = {"http", "https", "mailto", "data"}
_RUN = sa.text("""
    SELECT run_id, notebook, state, parameters, git_commit, worker, rows, started_at, round(seconds::numeric, 1) AS
           seconds, executed_copy, failed_cell, error, ruleset
    FROM ops.run WHERE run_id = :run_id
""")


class ExecutedNotebookHandler(JupyterHandler):
    """Shows one executed notebook: only of a run in ops.run, only a file under outputs/runs."""

    @tornado.web.authenticated
    async def get(self, run_id: str) -> None:
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "no-store")
        try:
            page = await asyncio.to_thread(page_of, run_id)
        except sa.exc.SQLAlchemyError as error:
            self.set_status(503)
            page = html_page(
                "Executed notebook", "", f"<p>{escape(explain(error) or 'The database does not answer.')}</p>"
            )
        if page is None:
            self.set_status(404)
            page = html_page(
                "No such run", "", "<p>There is no run with this id. The operations page lists all runs.</p>"
            )
        self.finish(page)


def page_of(run_id: str) -> str | None:
    """The page that shows a run's executed notebook; None when there is no such run."""
    with warehouse.connect() as db:
        run = db.execute(_RUN, {"run_id": run_id}).mappings().one_or_none()
    if run is None:
        return None
    path = notebook_path(run["executed_copy"])
    if path is None:
        worker = f" It was executed by {escape(run['worker'])}." if run["worker"] else ""
        body = f"<p>The executed notebook is not on this machine.{worker}</p>"
    elif path.stat().st_size > MAX_BYTES:
        body = "<p>The executed notebook is too large to be shown here.</p>"
    else:
        body = render(nbformat.read(path, as_version=4))
    return html_page(run["notebook"], _facts(run), body)


def notebook_path(recorded: str | None) -> Path | None:
    """The file of an executed notebook; None unless it is a notebook under outputs/runs, symbolic links resolved."""
    runs = (settings().outputs / "runs").resolve()
    path = (settings().outputs / (recorded or "")).resolve()
    return path if path.is_relative_to(runs) and path.suffix == ".ipynb" and path.is_file() else None


def render(notebook: Any) -> str:
    """A notebook as HTML without scripts, styles, frames or content from other servers."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True)
    return clean(exporter.from_notebook_node(notebook)[0])


def clean(html: str) -> str:
    """Sanitised HTML: listed tags and attributes only, and only pictures that are embedded in the notebook."""
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=_allowed_value, url_schemes=_SCHEMES)


def _allowed_value(tag: str, name: str, value: str) -> str | None:
    """The attribute's value, or None to drop it: pictures must be `data:` URIs, and nothing else may be one."""
    is_data = value.strip().lower().startswith("data:")
    if name == "src":
        return value if value.startswith("data:image/") else None
    return None if name == "href" and is_data else value


def _facts(run: Any) -> str:
    parameters = ", ".join(f"{name} = {value}" for name, value in run["parameters"].items())
    failing = None if run["failed_cell"] is None else f"In [{run['failed_cell']}]"
    facts = {"State": run["state"], "Started": run["started_at"], "Seconds": run["seconds"], "Rows": run["rows"],
             "Parameters": parameters or "none", "Commit": run["git_commit"], "Rules": run["ruleset"],
             "Worker": run["worker"], "Error": run["error"], "Failing cell": failing, "Run": run["run_id"]}  # fmt: skip
    return listed({name: cells.written(value) for name, value in facts.items() if value is not None})


def listed(facts: dict[str, Any]) -> str:
    """Facts of a run as HTML."""
    return "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())


def html_page(title: str, facts: str, body: str, back: str = BACK) -> str:
    """The page around an executed notebook; `back` is the link at its top."""
    return Template(PAGE.read_text(encoding="utf-8")).substitute(title=escape(title), facts=facts, body=body, back=back)
