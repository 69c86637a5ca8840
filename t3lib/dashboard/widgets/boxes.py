"""Plain widgets with the classes that the style sheet knows, told to the browser once, as they will be seen."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import ipywidgets as w

Made = TypeVar("Made", bound=w.DOMWidget)


def html(classes: str = "", value: str = "") -> w.HTML:
    """A piece of HTML; whoever sets its value has escaped it."""
    return plain(w.HTML, classes, value=value)


def box(classes: str, *children: w.Widget) -> w.Box:
    """Widgets that the style sheet arranges."""
    return plain(w.Box, classes, children=children)


def plain(kind: type[Made], classes: str = "", **given: Any) -> Made:
    """A widget that leaves its looks to the style sheet: all of these share one layout and one style of each kind,
    so that a page is some sixty models to the browser instead of a hundred and sixty."""
    style = kind.class_traits().get("style")
    if style is not None and isinstance(getattr(style, "klass", None), type):
        given.setdefault("style", _shared(style.klass))
    made = kind(**{"layout": _shared(w.Layout)} | given)
    for name in classes.split():
        made.add_class(name)
    return made


def hideable(widget: Made) -> Made:
    """The same widget with a layout of its own, which can be taken out of the page."""
    widget.layout = w.Layout()
    return widget


@functools.cache
def _shared(kind: type[w.Widget]) -> w.Widget:
    return kind()


@contextmanager
def told_at_once() -> Iterator[None]:
    """Widgets made in this block are told to the browser at its end, each in one message with all that it then holds,
    instead of one when it is made and one for every value that it is given."""
    # Why a method of a class that is not ours is replaced for a moment: ipywidgets opens a widget's channel at the end
    # of its constructor and has no switch for it. `hold_sync` holds back values, not this first message, and a
    # subclass would miss the charts, tables and layouts that other libraries make. Only one page is made at a time
    # in a kernel, by its one thread.
    made: list[w.Widget] = []
    opened = w.Widget.open
    w.Widget.open = lambda widget: made.append(widget)
    try:
        yield
    finally:
        w.Widget.open = opened
        for widget in made:
            _tell(widget)


def _tell(widget: w.Widget) -> None:
    """Open a widget after those that it names."""
    if widget.comm is None:
        for name in widget.keys:
            for part in _widgets(getattr(widget, name)):
                _tell(part)
        widget.open()


def _widgets(value: Any) -> list[w.Widget]:
    if isinstance(value, w.Widget):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [found for part in parts for found in _widgets(part)]
