"""The parts of cards as HTML. Texts come from people and files: they are escaped here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape

from t3lib.dashboard.html import paging
from t3lib.dashboard.state import State


@dataclass(frozen=True)
class Cell:
    """A cell of a table: CSS classes, `html` for text that is HTML already, and a bar of so many percent below it."""

    text: str
    classes: str = ""
    html: bool = False
    bar: float | None = None


Row = Sequence[str | Cell]


def alert(text: str) -> str:
    """An error message; empty without text."""
    return f'<p class="t3-error" role="alert">{escape(text)}</p>' if text else ""


def title(text: str, *aside: str) -> str:
    """The head of a card; the text and what is beside it are HTML already."""
    return f'<header class="t3-card-head"><h2 class="t3-title">{text}</h2>{"".join(aside)}</header>'


def message_card(heading: str, text: str) -> str:
    """A card that shows a message instead of figures."""
    return f'{title(escape(heading))}<p class="t3-none">{escape(text)}</p>'


def table(
    caption: str,
    head: Row,
    rows: Iterable[Row],
    numbers: Sequence[int] = (),
    tone: Callable[[str], str] | None = None,
) -> str:
    """A table. `numbers` are the columns aligned to the right; `tone` gives the class of the first column's badge."""

    def cell(tag: str, n: int, content: str | Cell) -> str:
        found = content if isinstance(content, Cell) else Cell(content)
        inside = found.text if found.html else escape(found.text)
        if tone and tag == "td" and n == 0 and (look := tone(found.text)):
            inside = f'<span class="t3-state {look}">{inside.replace("_", " ")}</span>'
        bar = "" if found.bar is None else f' style="--w:{found.bar:.1f}%"'
        looks = [found.classes, "t3-number" if n in numbers else "", "t3-bar" if bar else ""]
        classes = " ".join(filter(None, looks))
        look = f' class="{classes}"' if classes else ""
        return f"<{tag}{look}{bar}>{inside}</{tag}>"

    top = "".join(cell("th", n, text) for n, text in enumerate(head))
    body = "".join(f"<tr>{''.join(cell('td', n, text) for n, text in enumerate(row))}</tr>" for row in rows)
    return scrolling_table(caption, f"<tr>{top}</tr>", body)


def scrolling_table(caption: str, head: str, body: str, classes: str = "t3-table", style: str = "") -> str:
    """A table in a box that scrolls sideways; head and body are rows as HTML."""
    width = f' style="{style}"' if style else ""
    return (
        f'<div class="t3-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="{classes}"{width}><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    )


def chart_table(caption: str, head: Sequence[str], rows: Iterable[Row]) -> str:
    """The figures of a chart as a collapsed table: for keyboards, screen readers and copying."""
    inside = table(caption, head, rows, numbers=range(1, len(head)))
    return f'<details class="t3-behind"><summary>Show as a table</summary>{inside}</details>'


def page_message(heading: str, text: str) -> str:
    """A message in place of all cards."""
    return f'<div class="t3-empty"><h2>{escape(heading)}</h2><p>{escape(text)}</p></div>'


def choice(state: State, text: str, *, html: bool = False, skipped: bool = False) -> str:
    """A link that makes a choice; the page applies it without a reload (t3.js). `skipped`: the Tab key passes over it.

    Long lists start at their first page, because another choice has other rows."""
    return _link(replace(state, pages=()), text, html, skipped)


def pages(state: State, shown: paging.Part) -> str:
    """The links to the other pages of a list."""
    return paging.links(
        shown, lambda number, text: _link(replace(state, pages=paging.with_page(state.pages, shown.name, number)), text)
    )


def choice_cell(state: State, text: str, classes: str = "") -> Cell:
    """A cell with a link that makes a choice."""
    return Cell(choice(state, text), classes, html=True)


def _link(state: State, text: str, html: bool = False, skipped: bool = False) -> str:
    query = escape(state.query())
    more = ' tabindex="-1"' if skipped else ""
    return f'<a class="t3-choice" href="?{query}" data-choice="{query}"{more}>{text if html else escape(text)}</a>'
