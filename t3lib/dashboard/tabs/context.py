"""The context of a tab, and what its cards share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from html import escape
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html import paging
from t3lib.dashboard.html.cards import Cell, Row, choice_cell, message_card, pages, table, title
from t3lib.dashboard.html.tiles import change, change_html, definition
from t3lib.dashboard.state import State
from t3lib.metrics import Scope

MOST_ROWS = 15


@dataclass(frozen=True)
class TabContext:
    """The state, its scope, the hour up to which today is comparable, and the scope it is compared with.

    `for_download`: lists are complete instead of one page of each. `known`: figures that several cards show."""

    state: State
    scope: Scope
    until_hour: int | None = None
    earlier: Scope | None = None
    for_download: bool = False
    known: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def contribution(self, db: sa.Connection) -> metrics.Contribution | None:
        """The contribution of the scope, read once for all cards. Raises RefusedError."""
        if "contribution" not in self.known:
            self.known["contribution"] = metrics.contribution(db, self.scope)
        found: metrics.Contribution | None = self.known["contribution"]
        return found

    def matrix(self, db: sa.Connection) -> pd.DataFrame:
        """The menu matrix of the scope, read once for its chart and its table. Raises RefusedError."""
        if "matrix" not in self.known:
            self.known["matrix"] = metrics.menu_matrix(db, self.scope)
        found: pd.DataFrame = self.known["matrix"]
        return found

    @property
    def comparable(self) -> Scope:
        """The comparable part of the scope."""
        return replace(self.scope, until_hour=self.until_hour)

    @property
    def complete_days(self) -> Scope | None:
        """The scope without a day that still trades, for figures that exist by day only."""
        if self.until_hour is None:
            return self.scope
        if self.scope.days == 1:
            return None
        return replace(self.scope, last=self.scope.last - timedelta(days=1))

    @property
    def against(self) -> str:
        """What it is compared with, in words."""
        return formatting.compared_with(self.scope, self.until_hour, self.state.compare)

    def truck(self, truck_id: int, name: str) -> Cell:
        """A truck's name as a link that chooses this truck, or all trucks if it is already the chosen one."""
        alone = self.state.trucks == (truck_id,)
        return choice_cell(replace(self.state, trucks=() if alone else (truck_id,)), name)

    def part(self, name: str, most: int, count: int) -> paging.Part:
        """The rows of a list that are shown: a page, or in a download as many as a file can hold."""
        if self.for_download:
            return paging.Part(name, paging.MOST_DOWNLOADED, count)
        return paging.part(self.state.pages, name, most, count)

    def foot(self, shown: paging.Part) -> str:
        """The foot of a list: links to its other pages; in a download, a note if rows are left out."""
        if self.for_download:
            return paging.truncation_note(shown, "choose fewer days or trucks for the others.")
        return pages(self.state, shown)

    def days(self, first: date, last: date) -> State:
        """The state with these days instead."""
        return replace(self.state, preset="custom", first=first, last=last)


Card = Callable[[sa.Connection, TabContext], str]


def card(name: str, head: Row, rows: Sequence[Row], figure: str, aside: str = "", foot: str = "") -> str:
    """A card with one table; the figure's definition is beside the name, `foot` (HTML) below the table."""
    if not rows:
        return message_card(name, "Nothing in this choice.")
    return heading(name, figure, aside) + table(name, head, rows, numbers=range(1, len(head))) + foot


def heading(name: str, figure: str, aside: str = "") -> str:
    """The head of a card, with the definition of a figure."""
    return title(escape(name) + definition(figure), f"<span>{escape(aside)}</span>" if aside else "")


def change_cell(now: int | None, before: int | None) -> Cell:
    """A change by arrow, word and colour; an en dash without both values."""
    if now is None or before is None or pd.isna(now) or pd.isna(before):
        tone, text = "none", ""
    else:
        tone, text = change(int(now), int(before))
    return Cell(change_html(tone, text), "" if tone == "none" else f"t3-change {tone}", html=True)


def usual(
    db: sa.Connection, breakdown: Callable[[sa.Connection, Scope], pd.DataFrame], key: str, scope: Scope | None
) -> dict[Any, tuple[int, int | None]]:
    """(transactions now, usual) by key; empty without a scope, as for a day that still trades."""
    if scope is None:
        return {}
    frame = metrics.compared(breakdown, key, db, scope)
    return {getattr(r, key): (r.transactions, r.transactions_usual) for r in frame.itertuples()}


def percent(value: float | None) -> str:
    """12.3%, or an en dash if the value is missing (pandas' NA too)."""
    return formatting.percent(None if value is None or pd.isna(value) else float(value))
