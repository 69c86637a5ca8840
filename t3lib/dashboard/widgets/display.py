"""Display of a page: in Voilà as static HTML and widgets, in JupyterLab as widgets with the style sheet."""

import os
from pathlib import Path

import ipywidgets as w
from IPython.display import HTML, display

from t3lib.dashboard.widgets.boxes import box, html

_STYLE = Path(__file__).parents[1] / "template" / "voila" / "templates" / "t3" / "static" / "t3.css"
_LAB = "& { background: var(--t3-ground); color: var(--t3-ink); padding: 16px; font: 15px/1.45 system-ui, sans-serif; }"


def show(static_html: str, widget: w.Widget) -> None:
    """Display a page. Voilà shows `static_html` until the widgets are ready; its template has the style sheet."""
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        display(HTML(static_html))
        display(widget)
    else:
        display(box("t3-scope", html("", f"<style>{_scoped()}</style>"), widget))


def _scoped() -> str:
    """The style sheet, limited to the page so that JupyterLab around it keeps its look."""
    return f".t3-scope {{ {_STYLE.read_text(encoding='utf-8').replace(':root', '&')} {_LAB} }}"
