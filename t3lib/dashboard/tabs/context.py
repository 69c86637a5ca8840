"""The context of a tab, and the pieces that its cards share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import escape

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import words
from t3lib.dashboard.html import paging
from t3lib.dashboard.html.cards import Cell, chosen, message_card, pages, table, title
from t3lib.dashboard.html.tiles import arrow, change, definition
from t3lib.dashboard.state import State
from t3lib.metrics import Scope

MOST_ROWS = 15


@dataclass(frozen=True)
class TabContext:
    """The state, its scope, the hour up to which today is comparable, and the scope it is compared with.

    `whole`: for a download, which holds whole lists instead of one page of each."""

    state: State
    scope: Scope
    until_hour: int | None = None
    earlier: Scope | None = None
    whole: bool = False

    @property
    def cut(self) -> Scope:
        """The comparable part of the scope."""
        return replace(self.scope, until_hour=self.until_hour)

    @property
    def whole_days(self) -> Scope | None:
        """The finished days of the scope, for figures that exist by whole days only."""
        if self.until_hour is None:
            return self.scope
        if self.scope.days == 1:
            return None
        return replace(self.scope, last=self.scope.last - timedelta(days=1))

    @property
    def against(self) -> str:
        """What it is compared with, in words."""
        return words.compared_with(self.scope, self.until_hour, self.state.compare)

    def truck(self, truck_id: int, name: str) -> Cell:
        """A truck's name as a link that chooses it, and once it is chosen all of them."""
        alone = self.state.trucks == (truck_id,)
        return chosen(replace(self.state, trucks=() if alone else (truck_id,)), name)

    def part(self, name: str, most: int, count: int) -> paging.Part:
        """The rows of a list that are shown: a page, or for a download all that a file can hold."""
        if self.whole:
            return paging.Part(name, paging.MOST_DOWNLOADED, count)
        return paging.part(self.state.pages, name, most, count)

    def foot(self, shown: paging.Part) -> str:
        """The foot of a list: links to its other pages; in a download, what it leaves out."""
        if self.whole:
            return paging.lacks(shown, "choose fewer days or trucks for the others.")
        return pages(self.state, shown)

    def days(self, first: date, last: date) -> State:
        """The state with these days instead."""
        return replace(self.state, preset="custom", first=first, last=last)


Card = Callable[[sa.Connection, TabContext], str]


def card(name: str, head: Sequence[str | Cell], rows: Sequence[Sequence[Cell]], figure: str, aside: str = "",
         foot: str = "") -> str:  # fmt: skip
    """A card of one table; the figure's definition is beside the name, `foot` (HTML) under the table."""
    if not rows:
        return message_card(name, "Nothing in this choice.")
    return heading(name, figure, aside) + table(name, head, rows, numbers=range(1, len(head))) + foot


def heading(name: str, figure: str, aside: str = "") -> str:
    """A card's head with a definition."""
    return title(escape(name) + definition(figure), f"<span>{escape(aside)}</span>" if aside else "")


def moved(now: object, before: object) -> Cell:
    """A change in words and colour, or an en dash."""
    missing = now is None or before is None or pd.isna(now) or pd.isna(before)
    tone, text = ("none", "") if missing else change(int(now), int(before))
    return Cell(arrow(tone, text), "" if tone == "none" else f"t3-change {tone}", html=True)


def usual(
    db: sa.Connection, breakdown: Callable[[sa.Connection, Scope], pd.DataFrame], key: str, scope: Scope | None
) -> dict[object, tuple[int, object]]:
    """(transactions now, usual) by key, for whole days; nothing for a day that still trades."""
    if scope is None:
        return {}
    frame = metrics.compared(breakdown, key, db, scope)
    return {getattr(r, key): (r.transactions, r.transactions_usual) for r in frame.itertuples()}


def percent(value: object) -> str:
    """12.3%, an en dash for what is missing."""
    return words.percent(None if value is None or pd.isna(value) else float(value))
