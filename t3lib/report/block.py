"""A block of the report: one content, shown as HTML in JupyterLab and the mail and as text in the plain part."""

import textwrap
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import css_inline
import jinja2

from t3lib.charts import palette

TEMPLATES = Path(__file__).with_name("template")
TEXT_WIDTH = 72
BLOCK = "application/vnd.t3.block+json"  # a block's content for renderers other than HTML, such as the PDF
_WIDTHS = ("20%", "19%", "27%")  # of figure columns, from the right, so that the columns of all tables line up

Tone = Literal["", "up", "down", "muted"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, a smaller text beside it, and whether the figure is good or bad."""

    text: str
    sub: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Block:
    """HTML by a template of `template/sections`, everything in it escaped; and the same as plain text."""

    template: str
    text: str
    content: dict[str, Any] = field(default_factory=dict, repr=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        html = _templates().get_template(f"{self.template}.html.j2").render(self.content)
        shown = _inliner().inline_fragment(html, style()).strip()
        return {"text/html": shown, BLOCK: {"template": self.template, **_json(self.content)}, "text/plain": self.text}


def table_block(
    title: str, columns: list[str], rows: list[list[Cell]], note: str = "", *, total: bool = False
) -> Block:
    """A table with names in the first column and figures in the others; `total`: the last row is the sum."""
    content = {"title": title, "columns": columns, "rows": rows, "note": note, "total": total, "widths": _WIDTHS}
    return Block("table", _table_text(title, columns, rows, note), content)


def folded(text: str, indent: str = "") -> str:
    """Text in lines short enough that no mail client breaks them."""
    return textwrap.fill(text, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table_text(title: str, columns: list[str], rows: list[list[Cell]], note: str) -> str:
    if not rows:
        return "\n".join([title.upper(), "", folded(note)])
    lines = [[" ".join(filter(None, (cell.text, cell.sub))) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *lines]) for i in range(len(columns))]
    widths[0] = min(widths[0], max(TEXT_WIDTH - sum(widths[1:]) - 2 * len(widths) + 2, 12))
    shown = [_line(line, widths) for line in [columns, *lines]]
    shown.insert(1, "-" * len(shown[0]))
    return "\n".join([title.upper(), "", *shown, *(["", folded(note)] if note else [])])


def _line(cells: list[str], widths: list[int]) -> str:
    name = cells[0] if len(cells[0]) <= widths[0] else cells[0][: widths[0] - 1] + "…"
    figures = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *figures])


@cache
def style() -> str:
    """The mail's style sheet."""
    return palette.in_colours((TEMPLATES / "email" / "style.css").read_text(encoding="utf-8"))


def _json(value: Any) -> Any:
    """Content as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    return [_json(one) for one in value] if isinstance(value, list | tuple) else value


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "sections"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
