"""Unstyled widgets with CSS classes, and the opening of many widgets with one comm message each."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import ipywidgets as w

Made = TypeVar("Made", bound=w.DOMWidget)


def html(classes: str = "", value: str = "") -> w.HTML:
    """A widget that shows HTML; the caller escapes its value."""
    return unstyled(w.HTML, classes, value=value)


def box(classes: str, *children: w.Widget) -> w.Box:
    """A box whose children the style sheet arranges."""
    return unstyled(w.Box, classes, children=children)


def unstyled(kind: type[Made], classes: str = "", **given: Any) -> Made:
    """A widget styled only by the style sheet. All of them share one layout and one style of each kind, so that a page
    has some sixty widget models in the browser instead of a hundred and sixty."""
    style = kind.class_traits().get("style")
    if style is not None and isinstance(getattr(style, "klass", None), type):
        given.setdefault("style", _shared(style.klass))
    made = kind(**{"layout": _shared(w.Layout)} | given)
    for name in classes.split():
        made.add_class(name)
    return made


def hideable(widget: Made) -> Made:
    """The same widget with a layout of its own, so that it can be hidden."""
    widget.layout = w.Layout()
    return widget


@functools.cache
def _shared(kind: type[w.Widget]) -> w.Widget:
    return kind()


@contextmanager
def batched_comm_messages() -> Iterator[None]:
    """Open the widgets made in this block at its end, each with one comm message that holds its final values,
    instead of one message when it is made and one more for every value that is set."""
    # Why a method of a library's class is replaced here: the dashboard opens with 59 messages instead of 145, and
    # ipywidgets opens a widget's comm at the end of its constructor and has no option to delay it. `hold_sync` delays
    # values, not this first message, and a subclass would miss the charts, tables and layouts that other libraries
    # make. A kernel builds only one page at a time, in one thread.
    made: list[w.Widget] = []
    opened = w.Widget.open
    w.Widget.open = lambda widget: made.append(widget)
    try:
        yield
    finally:
        w.Widget.open = opened
        for widget in made:
            _open_after_its_parts(widget)


def _open_after_its_parts(widget: w.Widget) -> None:
    """Open the widgets that this one refers to, then this one."""
    if widget.comm is None:
        for name in widget.keys:
            for part in _widgets(getattr(widget, name)):
                _open_after_its_parts(part)
        widget.open()


def _widgets(value: Any) -> list[w.Widget]:
    if isinstance(value, w.Widget):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [found for part in parts for found in _widgets(part)]
