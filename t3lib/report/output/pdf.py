"""The report as a PDF, by Typst: the same parts as in the mail, set for paper, tagged for screen readers.

The parts come as data, so no name or note can be taken for markup; nothing is fetched."""

import base64
import json
import struct
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import typst
from nbformat import NotebookNode

from t3lib.charts.palette import LIGHT
from t3lib.report.block import BLOCK, TEMPLATES
from t3lib.report.chart import WIDTH

SOURCE = TEMPLATES / "pdf" / "report.typ"
AUTHOR = "Tasty Truck Treats"
# Typst ships the serif; this folder has DejaVu Sans for the letters that the serif lacks.
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def document(notebook: NotebookNode, envelope: dict[str, Any], *, corrected: bool = False) -> bytes:
    """The PDF of an executed report: its outputs in their order, without the outputs of `workings`."""
    return _set(notebook, envelope, corrected, format="pdf", pdf_standards="ua-1")


def pages(notebook: NotebookNode, envelope: dict[str, Any], *, ppi: float = 110) -> list[bytes]:
    """The same as one PNG per page, to look at."""
    made = _set(notebook, envelope, False, format="png", ppi=ppi)
    return made if isinstance(made, list) else [made]


def _set(notebook: NotebookNode, envelope: dict[str, Any], corrected: bool, **more: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="t3-pdf-") as folder:
        place = Path(folder)
        parts = [part for n, cell in enumerate(notebook.cells) for part in _parts(cell, n, place)]
        year, month, day = map(int, envelope["business_date"].split("-"))
        report = {
            "subject": envelope["subject"] + (" (corrected)" if corrected else ""),
            "author": AUTHOR,
            "date": {"year": year, "month": month, "day": day},
            "kicker": next((part["kicker"] for part in parts if "kicker" in part), envelope["subject"]),
            "footer": "Corrected report" if corrected else "Confidential",
            "parts": parts,
            "colours": asdict(LIGHT),
        }
        (place / "report.json").write_text(json.dumps(report), encoding="utf-8")
        (place / SOURCE.name).write_bytes(SOURCE.read_bytes())
        return typst.compile(
            place / SOURCE.name, root=folder, font_paths=[str(_FONTS)], ignore_system_fonts=True, **more
        )


def _parts(cell: NotebookNode, number: int, folder: Path) -> list[dict[str, Any]]:
    tags = cell.metadata.get("tags", [])
    if "workings" in tags:
        return []
    if cell.cell_type == "markdown":
        return [{"template": "text", "text": cell.source}] if "mail" in tags else []
    found = (_part(output, f"{number}-{n}.png", folder) for n, output in enumerate(cell.get("outputs", [])))
    return [part for part in found if part]


def _part(output: NotebookNode, name: str, folder: Path) -> dict[str, Any] | None:
    data = output.get("data", {})
    if BLOCK in data:
        return dict(data[BLOCK])
    if "image/png" in data:
        png = base64.b64decode(data["image/png"])
        (folder / name).write_bytes(png)
        about = output.metadata.get("image/png", {})
        width = about.get("width") or min(struct.unpack(">I", png[16:20])[0], WIDTH)
        caption = {"title": about.get("title", ""), "alt": about.get("alt") or "A picture of the report"}
        return {"template": "picture", "file": name, "width": width, **caption}
    return {"template": "text", "text": data["text/plain"]} if data.get("text/plain") else None
