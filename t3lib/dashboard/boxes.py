"""Plain widgets with the classes that the style sheet knows."""

import ipywidgets as w


def html(classes: str = "", value: str = "") -> w.HTML:
    """A piece of HTML; whoever sets its value has escaped it."""
    return _classed(w.HTML(value), classes)


def box(classes: str, *children: w.Widget) -> w.Box:
    """Widgets that the style sheet arranges."""
    return _classed(w.Box(children), classes)


def _classed(widget: w.DOMWidget, classes: str) -> w.DOMWidget:
    for name in classes.split():
        widget.add_class(name)
    return widget
