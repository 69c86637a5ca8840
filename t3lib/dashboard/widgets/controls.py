"""The visitor's choices: range, dates, payment, comparison, places, trucks. The kernel checks each value."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import ipywidgets as w

from t3lib.dashboard.state import PAYMENTS, PRESETS, TABS, State
from t3lib.dashboard.view import View
from t3lib.dashboard.widgets.boxes import box, unstyled
from t3lib.dashboard.widgets.picks import PICKS, Pick

MOST_CHIPS = 12


class Controls:
    """Widgets that call `choose` with a new state when the visitor changes one."""

    def __init__(self, choose: Callable[[State], None]) -> None:
        self._choose, self._displaying, self._state = choose, False, State()
        self._names: dict[int, str] = {}
        shown = [option for option in _options(PRESETS) if option[1] != "custom"]
        self.preset = unstyled(w.ToggleButtons, "t3-segment t3-range", options=shown, value=None)
        self.first, self.last = unstyled(w.DatePicker), unstyled(w.DatePicker)
        self.payment = unstyled(w.ToggleButtons, "t3-segment t3-paid", options=_options(PAYMENTS))
        self.tab = unstyled(w.ToggleButtons, "t3-tabs", options=_options(TABS))
        self.trucks = box("t3-chips")
        self.picks = {name: Pick(partial(self._pick, name)) for name, _, _ in PICKS}
        hint = "Download what is shown"
        self.csv, self.xlsx = (unstyled(w.Button, "t3-action", description=t, tooltip=hint) for t in ("CSV", "Excel"))
        self.tab.observe(self._tab, "value")
        self.preset.observe(self._preset, "value")
        self.first.observe(self._dates, "value")
        self.last.observe(self._dates, "value")
        self.payment.observe(self._payment, "value")
        dates, actions = box("t3-dates", self.first, self.last), box("t3-actions", self.csv, self.xlsx)
        picks = [pick.widget for pick in self.picks.values()]
        self.widget = box("t3-controls", self.tab, self.preset, dates, self.payment, *picks, actions, self.trucks)

    def show(self, view: View) -> None:
        """Display the choices of a view; this does not count as a choice of the visitor."""
        self._displaying, self._state = True, view.state
        if view.names != self._names:
            self._names = view.names
            self.trucks.children = self._chips() if len(view.names) <= MOST_CHIPS else [self._tags()]
        self.preset.value = None if view.state.preset == "custom" else view.state.preset
        self.first.value, self.last.value = view.scope.first, view.scope.last
        self.payment.value, self.tab.value = view.state.payment, view.state.tab
        for name, _, choices in PICKS:
            self.picks[name].show(choices(view), getattr(view.state, name))
        self._mark()
        self._displaying = False

    def _mark(self) -> None:
        chosen = self._state.trucks
        if self.trucks.children and isinstance(self.trucks.children[0], w.TagsInput):
            self.trucks.children[0].value = [self._tag(truck) for truck in chosen]
            return
        every, *chips = self.trucks.children or (None,)
        if every is not None:
            every.value = not chosen
        for truck, chip in zip(self._names, chips, strict=False):
            chip.value = truck in chosen

    def _chips(self) -> list[w.ToggleButton]:
        every = unstyled(w.ToggleButton, description="All trucks")
        every.observe(lambda _: self._change(trucks=()), "value")
        chips = [every]
        for truck, name in self._names.items():
            chip = unstyled(w.ToggleButton, description=chip_text(truck, name), tooltip=f"Truck {truck}")
            chip.observe(lambda event, truck=truck: self._toggle(truck, event["new"]), "value")
            chips.append(chip)
        return chips

    def _tags(self) -> w.TagsInput:
        tags = w.TagsInput(allowed_tags=[self._tag(truck) for truck in self._names], allow_duplicates=False)
        tags.observe(self._choose_tags, "value")
        return tags

    def _tag(self, truck: int) -> str:
        return f"{truck} {self._names[truck]}"

    def _choose_tags(self, event: dict[str, Any]) -> None:
        self._change(trucks=tuple(sorted(int(tag.split(" ")[0]) for tag in event["new"])))

    def _pick(self, field: str, value: Any) -> None:
        self._change(**{field: value})

    def _toggle(self, truck: int, chosen: bool) -> None:
        trucks = set(self._state.trucks) - {truck} | ({truck} if chosen else set())
        self._change(trucks=() if trucks == set(self._names) else tuple(sorted(trucks)))

    def _preset(self, event: dict[str, Any]) -> None:
        if event["new"] in PRESETS:
            self._change(preset=event["new"], first=None, last=None)

    def _dates(self, _: dict[str, Any]) -> None:
        first, last = self.first.value, self.last.value
        if isinstance(first, date) and isinstance(last, date):
            self._change(preset="custom", first=min(first, last), last=max(first, last))

    def _payment(self, event: dict[str, Any]) -> None:
        if event["new"] in PAYMENTS:
            self._change(payment=event["new"])

    def _tab(self, event: dict[str, Any]) -> None:
        if event["new"] in TABS:
            self._change(tab=event["new"])

    def _change(self, **changes: Any) -> None:
        if self._displaying:
            return
        self._state = replace(self._state, pages=(), **changes)
        self._choose(self._state)
        self._displaying = True
        self._mark()
        self._displaying = False


def chip_text(truck: int, name: str) -> str:
    """A truck by its number and its name, because people know it by either."""
    return f"{truck} · {name}"


def _options(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(text, name) for name, text in texts.items()]
