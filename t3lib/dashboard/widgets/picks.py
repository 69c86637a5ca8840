"""Dropdowns: what to compare with, a place, a menu type."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

from t3lib.dashboard.state import COMPARISONS, State
from t3lib.dashboard.view import View
from t3lib.dashboard.widgets.boxes import hideable, unstyled

Choice = tuple[str, Any]  # (text, value)


def comparisons(view: View | None) -> list[Choice]:
    """All comparisons."""
    return [(f"Compare: {text.lower()}", name) for name, text in COMPARISONS.items()]


def places(view: View | None) -> list[Choice]:
    """All places, each place, and the current selection of several; nothing without pitches."""
    known = view.places if view else {}
    chosen = view.state.places if view else ()
    return _choices("All places", [(name, (place,)) for place, name in known.items()], chosen)


def menus(view: View | None) -> list[Choice]:
    """All menu types, each of them, and the current selection of several; nothing without a menu."""
    known = view.menus if view else []
    return _choices("All menu types", [(menu, (menu,)) for menu in known], view.state.menus if view else ())


# field of the state, accessible name, its choices
PICKS: Sequence[tuple[str, str, Callable[[View | None], list[Choice]]]] = (
    ("compare", "Compare with", comparisons),
    ("places", "Place", places),
    ("menus", "Menu type", menus),
)


def text(view: View | None, field: str, choices: Sequence[Choice]) -> str:
    """The text of the current choice."""
    value = getattr(view.state if view else State(), field)
    return next((text for text, known in choices if known == value), "")


class Pick:
    """A field that calls `on_choice` with the chosen value; hidden while there is nothing to choose."""

    def __init__(self, on_choice: Callable[[Any], None]) -> None:
        self._on_choice, self._displaying = on_choice, False
        self._choices: list[Choice] = []
        self.widget = hideable(unstyled(w.Dropdown, "t3-pick", options=()))
        self.widget.observe(self._changed, "value")

    def show(self, choices: list[Choice], value: Any) -> None:
        """Display the choices and the current one; this does not count as a choice of the visitor."""
        self._displaying = True
        if choices != self._choices:
            self._choices = choices
            self.widget.options = choices
        if choices:
            self.widget.value = value
        self.widget.layout.display = "" if choices else "none"
        self._displaying = False

    def _changed(self, event: dict[str, Any]) -> None:
        if not self._displaying and event["new"] is not None:
            self._on_choice(event["new"])


def _choices(everything: str, known: list[Choice], chosen: tuple[Any, ...]) -> list[Choice]:
    """An address can name several values, which the dropdown itself cannot choose."""
    if not known:
        return []
    more: list[Choice] = [(f"{len(chosen)} of {len(known)} chosen", chosen)] if len(chosen) > 1 else []
    return [(everything, ()), *known, *more]
