"""The filters: days, truck, state; and links that begin the requests that are about days."""

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets as w

from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import RANGES, STATES, Choices
from t3lib.dashboard.widgets.boxes import html

EVERY = -1  # a Dropdown shows nothing for a value of None
_ABOUT_DAYS = (("backfill", "Catch up …"), ("reclean", "Clean again …"), ("replay", "Validate rejects again …"))


class Controls:
    """Widgets that call `choose` when the visitor changes one; every value is checked here, in the kernel."""

    def __init__(self, choose: Callable[[Choices], None]) -> None:
        self._choose, self._displaying, self._choices = choose, False, Choices()
        self.days = w.ToggleButtons(options=[(text, days) for days, text in RANGES.items()], value=Choices.days)
        self.truck = w.Dropdown(options=[("Every truck", EVERY)], value=EVERY)
        self.state = w.Dropdown(options=[(text, state) for state, (text, _) in STATES.items()], value="")
        self.offers = html("t3-offers")
        actions = w.Box([self.offers])
        for name, widget in (("days", self.days), ("truck", self.truck), ("state", self.state)):
            widget.observe(lambda event, name=name: self._taken(name, event["new"]), "value")
        for widget, classes in ((self.days, "t3-segment t3-range"), (self.truck, "t3-pick"), (self.state, "t3-pick"),
                                (actions, "t3-actions")):  # fmt: skip
            for part in classes.split():
                widget.add_class(part)
        self.widget = w.Box([self.days, self.truck, self.state, actions])
        self.widget.add_class("t3-controls")

    def show(self, choices: Choices, names: dict[int, str]) -> None:
        """Display choices; this does not count as a choice of the visitor."""
        self._displaying, self._choices = True, choices
        options = truck_options(choices, names)
        if tuple(self.truck.options) != tuple(options):
            self.truck.options = options
        self.truck.value, self.state.value = EVERY if choices.truck is None else choices.truck, choices.state
        self.days.value = None if choices.day or choices.days not in RANGES else choices.days
        self.offers.value = offers(choices)
        self._displaying = False

    def _taken(self, name: str, value: Any) -> None:
        known = {"days": RANGES, "state": STATES, "truck": dict(map(reversed, self.truck.options))}[name]
        if not self._displaying and value in known:
            changes = {"pages": (), name: None if value == EVERY else value} | ({"day": None} if name == "days" else {})
            self._choose(replace(self._choices, **changes))


def truck_options(choices: Choices, names: dict[int, str]) -> list[tuple[str, int]]:
    """All trucks by name, and the chosen one even if it is not known."""
    unknown = choices.truck is not None and choices.truck not in names
    more = [(f"Truck {choices.truck}", choices.truck)] if unknown else []
    return [("Every truck", EVERY), *((f"{truck} · {name}", truck) for truck, name in names.items()), *more]


def offers(choices: Choices) -> str:
    """The links that begin a request about days."""
    return " ".join(cells.link(replace(choices, do=kind, about=()), text, "t3-action") for kind, text in _ABOUT_DAYS)


def static_html(choices: Choices, names: dict[int, str]) -> str:
    """The controls before any script runs, in their final look; the links work at once."""
    days = "".join(
        f'<span class="t3-button{" mod-active" if days == choices.days and not choices.day else ""}">{text}</span>'
        for days, text in RANGES.items()
    )
    chosen = EVERY if choices.truck is None else choices.truck
    shown = (dict(map(reversed, truck_options(choices, names)))[chosen], STATES[choices.state][0])
    picks = "".join(
        f'<span class="t3-pick"><select disabled aria-label="{label}"><option>{escape(text)}</option></select></span>'
        for label, text in zip(("Truck", "State"), shown, strict=True)
    )
    return (
        f'<div class="t3-controls"><div class="t3-segment t3-range">{days}</div>{picks}'
        f'<div class="t3-actions"><div class="t3-offers">{offers(choices)}</div></div></div>'
    )
