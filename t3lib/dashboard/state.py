"""The state of a page: the visitor's choices, kept in the address bar and in the widgets."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode

from t3lib import business_day
from t3lib.dashboard.html import paging
from t3lib.metrics import Scope

PRESETS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "week": "This week",
    "4weeks": "4 weeks",
    "month": "This month",
    "custom": "Custom",
}
TABS = {
    "today": "Sales",
    "money": "Money",
    "pack": "Month pack",
    "menus": "Menus and places",
    "rows": "Single sales",
    "data": "Data",
}
COMPARISONS = {
    "weekdays": "Same weekdays before",
    "period": "Previous period",
    "year": "Last year",
    "none": "Nothing",
}
PROFIT_BY = {
    "truck": "truck",
    "place": "place",
    "event": "event",
    "weekday": "weekday",
    "hour": "hour",
    "menu_type": "menu type",
    "dish": "dish",
}
PAYMENTS = {"": "All", "card": "Card", "cash": "Cash"}
LONGEST = 3 * 366
LONGEST_QUERY = 4000
AFFORDABLE_PENCE = 500


@dataclass(frozen=True)
class State:
    """What a visitor chose.

    A preset (or first and last for `custom`); trucks, places and menu types (none means all); a payment type ('' means
    all); the comparison; the tab; an hour (tab of single sales); the affordable price; by what profit is shown; the
    pages of long lists."""

    preset: str = "today"
    first: date | None = None
    last: date | None = None
    trucks: tuple[int, ...] = ()
    payment: str = ""
    tab: str = "today"
    compare: str = "weekdays"
    places: tuple[int, ...] = ()
    menus: tuple[str, ...] = ()
    hour: int | None = None
    affordable: int = AFFORDABLE_PENCE
    profit_by: str = "truck"
    pages: paging.Pages = ()

    def query(self) -> str:
        """The query string that `parse` reads; empty for the defaults."""
        parts: list[tuple[str, str]] = []
        if self.preset == "custom" and self.first and self.last:
            parts += [("from", self.first.isoformat()), ("to", self.last.isoformat())]
        elif self.preset != "today":
            parts.append(("range", self.preset))
        if self.trucks:
            parts.append(("truck", ".".join(map(str, self.trucks))))
        if self.payment:
            parts.append(("payment", self.payment))
        if self.places:
            parts.append(("place", ".".join(map(str, self.places))))
        parts += [("menu", menu) for menu in self.menus]
        if self.compare != "weekdays":
            parts.append(("compare", self.compare))
        if self.hour is not None:
            parts.append(("hour", str(self.hour)))
        if self.affordable != AFFORDABLE_PENCE:
            parts.append(("affordable", str(self.affordable)))
        if self.profit_by != "truck":
            parts.append(("profit", self.profit_by))
        if self.tab != "today":
            parts.append(("tab", self.tab))
        parts += paging.parts(self.pages)
        return urlencode(parts)


def parse(query: str, default: State | None = None) -> State:
    """The state of a query string; missing or invalid values come from the default."""
    default = default or State()
    many = parse_qs(query[:LONGEST_QUERY].lstrip("?"))
    given = {name: values[-1] for name, values in many.items()}
    first, last = _date(given.get("from")), _date(given.get("to"))
    if first and (last := last or first) >= first:
        preset = "custom"
    else:
        first = last = None
        preset = given.get("range", "")
        preset = preset if preset in PRESETS and preset != "custom" else default.preset
    hour, affordable = _numbers(given.get("hour")), _numbers(given.get("affordable"))
    return State(
        preset,
        first,
        last,
        trucks=_numbers(given.get("truck")),
        payment=_known(given.get("payment"), PAYMENTS, default.payment),
        tab=_known(given.get("tab"), TABS, default.tab),
        compare=_known(given.get("compare"), COMPARISONS, default.compare),
        places=_numbers(given.get("place")),
        menus=tuple(sorted(set(many.get("menu", ())))),
        hour=hour[0] if hour and hour[0] < 24 else None,
        affordable=affordable[0] if affordable and affordable[0] else default.affordable,
        profit_by=_known(given.get("profit"), PROFIT_BY, default.profit_by),
        pages=paging.read(given),
    )


def scope(state: State, today: date, recorded: tuple[date, date] | None) -> Scope:
    """The scope of a state. `today` without a sale yet means the latest day that has one."""
    last = today
    if state.preset == "today" and recorded and recorded[1] < today:
        last = recorded[1]
    elif state.preset == "yesterday":
        last = today - timedelta(days=1)
    first = {
        "week": today - timedelta(days=today.weekday()),
        "4weeks": today - timedelta(days=27),
        "month": today.replace(day=1),
    }.get(state.preset, last)
    if state.preset == "custom" and state.first and state.last:
        first, last = state.first, min(state.last, state.first + timedelta(days=LONGEST))
    payments = (state.payment,) if state.payment else ()
    return Scope(first, last, state.trucks, state.places, payments, menus=state.menus)


def _date(text: str | None) -> date | None:
    try:
        return business_day.day_of(text or "")
    except ValueError:
        return None


def _numbers(text: str | None) -> tuple[int, ...]:
    """The numbers of '1.2.3', each once, in order."""
    parts = (text or "").split(".")
    return tuple(sorted({int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10}))


def _known(text: str | None, choices: Container[str], default: str) -> str:
    return text if text is not None and text in choices else default
