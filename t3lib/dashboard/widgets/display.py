"""How a page leaves its notebook: to Voilà as HTML and widgets, to JupyterLab as widgets with their style."""

import os
from pathlib import Path

import ipywidgets as w
from IPython.display import HTML, display

from t3lib.dashboard.widgets.boxes import box, html

_STYLE = Path(__file__).parent / "template" / "voila" / "templates" / "t3" / "static" / "t3.css"
_LAB = "& { background: var(--t3-ground); color: var(--t3-ink); padding: 16px; font: 15px/1.45 system-ui, sans-serif; }"


def show(first: str, widget: w.Widget) -> None:
    """Display a page. Under Voilà `first` stands until the widgets are drawn; the template has the style."""
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
        display(HTML(first))
        display(widget)
    else:
        display(box("t3-scope", html("", f"<style>{_scoped()}</style>"), widget))


def _scoped() -> str:
    """The style sheet, inside the page only: JupyterLab keeps its own look around it."""
    return f".t3-scope {{ {_STYLE.read_text().replace(':root', '&')} {_LAB} }}"
