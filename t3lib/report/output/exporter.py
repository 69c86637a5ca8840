"""An executed report as the HTML of a mail, by nbconvert and the template `email`."""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import css_inline
import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import Config

from t3lib import cells
from t3lib.report.block import TEMPLATES, style
from t3lib.report.chart import WIDTH
from t3lib.report.parts.bars import DARK_PNG
from t3lib.report.parts.closing import REPORT

# The kinds of output that a mail can show, best first; other kinds appear as plain text.
SHOWN = ["text/html", "text/markdown", "image/png", "text/plain"]


class ReportError(ValueError):
    """An executed notebook cannot become a mail; the text says why."""


@dataclass(frozen=True)
class Rendered:
    """The parts of a mail that come from one executed notebook; pictures by content id."""

    html: str
    text: str
    pictures: dict[str, bytes]
    envelope: dict[str, Any]
    notebook: NotebookNode


def render(executed: Path) -> Rendered:
    """HTML, text, pictures and envelope of an executed notebook.

    Raises ReportError for a notebook that failed or that has no envelope (`report.envelope(day, verdict)`)."""
    notebook = nbformat.read(executed, as_version=4)
    envelope, texts = None, []
    pictures: dict[str, bytes] = {}
    for number, cell in enumerate(notebook.cells, 1):
        hidden = "workings" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                failed = cells.named(cell.execution_count, cell.source)
                raise ReportError(f"{output.ename} in {failed} of {executed}: no mail is made from it.")
            data = output.get("data", {})
            envelope = data.get(REPORT, envelope)
            if not hidden and data:
                pictures |= _pictures(output, number)
                texts.append(data.get("text/plain", ""))
        if cell.cell_type == "markdown" and "mail" in cell.metadata.get("tags", []):
            texts.append(cell.source)
    if envelope is None:
        raise ReportError(f"{executed} has no envelope: a report ends with `report.envelope(day, verdict)`.")
    html = _html(notebook, {"subject": envelope["subject"], "preheader": envelope["preheader"]})
    return Rendered(html, "\n\n\n".join(filter(None, texts)) + "\n", pictures, envelope, notebook)


def _pictures(output: NotebookNode, number: int) -> dict[str, bytes]:
    """The PNGs of an output by content id; what the template needs to show them goes into its metadata."""
    if "image/png" not in output.data:
        return {}
    light = base64.b64decode(output.data["image/png"])
    about = dict(output.metadata.get("image/png", {}))
    width = about.get("width") or min(struct.unpack(">I", light[16:20])[0], WIDTH)
    picture = {"cid": f"picture-{number}", "width": width, "alt": about.get("alt") or f"Picture {number} of the report"}
    pictures = {picture["cid"]: light}
    if DARK_PNG in output.data:
        picture["dark_cid"] = f"picture-{number}-dark"
        pictures[picture["dark_cid"]] = base64.b64decode(output.data[DARK_PNG])
    output.metadata["picture"] = picture | {"title": about.get("title", "")}
    return pictures


def _html(notebook: NotebookNode, words: dict[str, str]) -> str:
    exporter = HTMLExporter(
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="email",
        exclude_input=True,
        exclude_anchor_links=True,
        config=Config({"NbConvertBase": {"display_data_priority": SHOWN}}),
    )
    html, _ = exporter.from_notebook_node(notebook, {**words, "style": style()})
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline(html)
