"""The filters (days, truck, state), and links that start a request about days."""

from collections.abc import Callable, Container
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets as w

from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import RANGES, STATES, Choices
from t3lib.dashboard.widgets.boxes import html

EVERY = -1  # a Dropdown shows nothing for a value of None
_ABOUT_DAYS = (("backfill", "Catch up …"), ("reclean", "Reprocess …"), ("replay", "Validate rejects again …"),
               ("apply", "Apply a list to the past …"))  # fmt: skip


class Controls:
    """Widgets that call `choose` when the visitor changes one. The kernel checks each value."""

    def __init__(self, choose: Callable[[Choices], None]) -> None:
        self._choose, self._displaying, self._choices = choose, False, Choices()
        self.days = w.ToggleButtons(options=[(text, days) for days, text in RANGES.items()], value=Choices.days)
        self.truck = w.Dropdown(options=[("Every truck", EVERY)], value=EVERY)
        self.state = w.Dropdown(options=[(text, state) for state, (text, _) in STATES.items()], value="")
        self.requests = html("t3-offers")
        actions = w.Box([self.requests])
        for name, widget in (("days", self.days), ("truck", self.truck), ("state", self.state)):
            widget.observe(lambda event, name=name: self._changed(name, event["new"]), "value")
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
        self.requests.value = request_links(choices)
        self._displaying = False

    def _changed(self, name: str, value: Any) -> None:
        trucks = [truck for _, truck in self.truck.options]
        choices: dict[str, Container[Any]] = {"days": RANGES, "state": STATES, "truck": trucks}
        if self._displaying or value not in choices[name]:
            return
        changes: dict[str, Any] = {"pages": (), name: None if value == EVERY else value}
        if name == "days":
            changes["day"] = None
        self._choose(replace(self._choices, **changes))


def truck_options(choices: Choices, names: dict[int, str]) -> list[tuple[str, int]]:
    """All trucks by name, and the chosen one even if it is not known."""
    options = [("Every truck", EVERY), *((f"{truck} · {name}", truck) for truck, name in names.items())]
    if choices.truck is not None and choices.truck not in names:
        options.append((f"Truck {choices.truck}", choices.truck))
    return options


def request_links(choices: Choices) -> str:
    """The links that start a request about days."""
    return " ".join(cells.link(replace(choices, do=kind, about=()), text, "t3-action") for kind, text in _ABOUT_DAYS)


def static_html(choices: Choices, names: dict[int, str]) -> str:
    """The controls as static HTML in their final look; the links work at once."""
    days = "".join(
        f'<span class="t3-button{" mod-active" if days == choices.days and not choices.day else ""}">{text}</span>'
        for days, text in RANGES.items()
    )
    chosen = EVERY if choices.truck is None else choices.truck
    trucks = {truck: text for text, truck in truck_options(choices, names)}
    shown = (trucks[chosen], STATES[choices.state][0])
    picks = "".join(
        f'<span class="t3-pick"><select disabled aria-label="{label}"><option>{escape(text)}</option></select></span>'
        for label, text in zip(("Truck", "State"), shown, strict=True)
    )
    return (
        f'<div class="t3-controls"><div class="t3-segment t3-range">{days}</div>{picks}'
        f'<div class="t3-actions"><div class="t3-offers">{request_links(choices)}</div></div></div>'
    )
