"""The cells of the page's tables: states as badges, times, links that filter the page or start a request."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from html import escape
from pathlib import PurePosixPath
from typing import Any

from t3lib import business_day
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell, message_card, scrolling_table, title
from t3lib.dashboard.operations.choices import STATES, Choices
from t3lib.settings import settings

_BADGES = {state: {"good": "trading", "trouble": "silent"}.get(name, "")
          for name, (_, states) in STATES.items() for state in states}  # fmt: skip


def card(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, nothing: str, numbers: Sequence[int] = (),
         aside: str = "", foot: str = "") -> str:  # fmt: skip
    """A card with one table, its first column a state, and `foot` (HTML) below it; the text `nothing` without rows."""
    found = list(rows)
    if not found:
        return message_card(name, nothing)
    return title(escape(name), f"<span>{aside}</span>" if aside else "") + table(name, head, found, numbers) + foot


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[int] = ()) -> str:
    """A table whose cells carry the name of their column: on a narrow screen each row becomes a card (t3.css)."""
    number = ' class="t3-number"'
    top = "".join(f"<th{number if n in numbers else ''}>{escape(text)}</th>" for n, text in enumerate(head))
    body = "".join(f"<tr>{_row(head, row, numbers)}</tr>" for row in rows)
    return scrolling_table(caption, f"<tr>{top}</tr>", body)


def _row(head: Sequence[str], row: Sequence[Any], numbers: Sequence[int]) -> str:
    columns = zip(head, row, strict=True)
    return "".join(_cell(column, n, n in numbers, value) for n, (column, value) in enumerate(columns))


def _cell(column: str, n: int, is_number: bool, value: Any) -> str:
    found = written(value)
    cell = found if isinstance(found, Cell) else Cell(found)
    inside = cell.text if cell.html else escape(cell.text)
    if n == 0 and isinstance(value, str) and (tone := badge(value)):
        inside = f'<span class="t3-state {tone}">{inside.replace("_", " ")}</span>'
    classes = " ".join(filter(None, (cell.classes, "t3-number" if is_number else "")))
    label = f' data-label="{escape(column)}"' if column else ""
    shown = f' class="{classes}"' if classes else ""
    return f"<td{label}{shown}>{inside}</td>"


def badge(state: str) -> str:
    """The CSS class of a state's badge: good, bad, or in progress; empty for other text."""
    return _BADGES.get(state, "") or ("waits" if state in _BADGES else "")


def written(value: Any) -> str | Cell:
    """A value as text for people."""
    if isinstance(value, str | Cell):
        return value
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return formatting.clock(value, datetime.now(settings().zone).date())
    return formatting.short_day(value, business_day.today()) if isinstance(value, date) else f"{value:,}"


def shorter(text: str | None, longest: int = 160) -> Cell:
    """A text, shortened if it is long; the tooltip has all of it."""
    text = " ".join((text or "").split())
    if len(text) <= longest:
        return Cell(text, "t3-long")
    shown = f'<span title="{escape(text)}">{escape(text[:longest].rstrip())} …</span>'
    return Cell(shown, "t3-long", html=True)


def file_name(key: str) -> Cell:
    """The last part of a key; the tooltip has all of it."""
    return Cell(f'<span title="{escape(key)}">{escape(PurePosixPath(key).name)}</span>', "t3-raw", html=True)


def raw(text: str | None) -> Cell:
    """A raw value of a file."""
    return Cell("nothing", "t3-missing") if text is None else Cell(text[:80] or '""', "t3-raw")


def filtered(choices: Choices, text: str, hint: str = "", **changes: Any) -> Cell:
    """A link that filters the page; its lists start at their first page."""
    return Cell(link(replace(choices, do="", about=(), pages=(), **changes), text, hint=hint), html=True)


def request_links(choices: Choices, *requests: tuple[str, str, dict[str, Any]]) -> Cell:
    """Links that start a request, each given as (kind, text, subject)."""
    links = (
        link(replace(choices, do=kind, about=tuple((name, str(value)) for name, value in about.items())), text, "t3-do")
        for kind, text, about in requests
    )
    return Cell(" ".join(links), "t3-offers", html=True)


def link(choices: Choices, text: str, classes: str = "t3-choice", hint: str = "") -> str:
    """A link to choices; the page applies it without a reload (t3.js)."""
    query = escape(choices.query())
    more = f' title="{escape(hint)}"' if hint else ""
    return f'<a class="{classes}" href="?{query}" data-choice="{query or " "}"{more}>{escape(text)}</a>'
