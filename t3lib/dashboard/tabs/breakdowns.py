"""Cards that show a breakdown of `t3lib.metrics` as one table; `t3 promote` adds a line to `BREAKDOWNS`."""

from dataclasses import dataclass
from html import escape
from numbers import Integral, Real
from typing import Any

import pandas as pd
import sqlalchemy as sa

from t3lib import metrics
from t3lib.charts import echarts, notebook
from t3lib.dashboard.html import paging
from t3lib.dashboard.html.cards import Cell, Row, message_card, table, title
from t3lib.dashboard.tabs.context import MOST_ROWS, Card, TabContext, card
from t3lib.metrics.glossary import GLOSSARY
from t3lib.problems import RefusedError


@dataclass(frozen=True)
class Breakdown:
    """A card: its tab and name, the breakdown that it shows, and the field that its "?" defines."""

    tab: str
    name: str
    breakdown: str
    field: str


BREAKDOWNS: tuple[Breakdown, ...] = ()


def of_tab(tab: str) -> tuple[tuple[str, str, Card], ...]:
    """The cards of a tab: width, name, function."""
    return tuple(("t3-half", shown.name, _card(shown)) for shown in BREAKDOWNS if shown.tab == tab)


def preview(name: str, found: pd.DataFrame) -> str:
    """The card that a breakdown would have, without the links of a page: for notebooks."""
    return title(escape(name)) + table(name, _head(found), texts(found), numbers=range(1, len(found.columns)))


def texts(found: pd.DataFrame) -> list[list[str]]:
    """The rows of a breakdown as the card writes them; ids are left out."""
    names = _shown(found)
    return [
        [_text(value, name) for name, value in zip(names, row, strict=True)]
        for row in found[names].astype(object).values.tolist()
    ]


def _card(shown: Breakdown) -> Card:
    def draw(db: sa.Connection, context: TabContext) -> str:
        try:
            found = getattr(metrics, shown.breakdown)(db, context.scope)
        except RefusedError as error:
            return message_card(shown.name, str(error))
        part = context.part(_list_name(shown.breakdown), MOST_ROWS, len(found))
        rows = _linked(found, context)[part.rows]
        return card(shown.name, _head(found), rows, shown.field, foot=context.foot(part))

    return draw


def _list_name(breakdown: str) -> str:
    """The name of its list in an address, where names have letters only."""
    return "".join(filter(str.isalpha, breakdown))[: paging.LONGEST_NAME]


def _linked(found: pd.DataFrame, context: TabContext) -> list[Row]:
    """The rows with each truck as a link that chooses it."""
    rows: list[Row] = list(texts(found))
    if not {"truck_id", "truck"} <= set(found.columns):
        return rows
    place = _shown(found).index("truck")
    links = [
        context.truck(int(number), str(name)) for number, name in zip(found["truck_id"], found["truck"], strict=True)
    ]
    return [[*row[:place], link, *row[place + 1 :]] for row, link in zip(rows, links, strict=True)]


def _shown(found: pd.DataFrame) -> list[str]:
    return [name for name in found.columns if not name.endswith("_id")]


def _head(found: pd.DataFrame) -> list[str | Cell]:
    return [GLOSSARY[name].name if name in GLOSSARY else notebook.column_title(name).capitalize()
            for name in _shown(found)]  # fmt: skip


def _text(value: Any, name: str) -> str:
    """A value as the tabs write it; what `notebook.written` writes without a unit gets separators here."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral) and name.endswith("_hour"):
        return echarts.hour_name(int(value))
    if isinstance(value, Integral) and not name.endswith(("_pence", "_pct")):
        return f"{int(value):,}"
    if isinstance(value, Real) and value == value and not name.endswith(("_pence", "_pct")):
        return f"{float(value):,.1f}"
    return notebook.written(value, name)
