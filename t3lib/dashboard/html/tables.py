"""The tables of a page's cards as rows of texts and numbers, so that a download holds what the page shows."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

Value = str | int | Decimal
# As the page writes them: thousands in commas, no zero before another digit. `007` is text.
_NUMBER = re.compile(r"[-−+]?£?(0|[1-9]\d{0,2}(,\d{3})*)(\.\d+)?")
# Elements that are not part of a name or a cell.
_SKIPPED = {("details", "t3-help"), ("nav", "t3-pages")}
_NUMBERS, _TEXT = {"t3-number", "t3-heat-cell", "t3-file"}, "t3-text"
_NOTES = {"t3-none", "t3-lacks"}
_VOID = {"br", "img", "input", "rect"}  # elements without an end tag


@dataclass
class Table:
    """A card's name, its table (head first; pounds and counts are numbers, all else is text), and its notes, such as
    what the figures are compared with or which rows are left out."""

    name: str
    rows: list[list[Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def tables(html: str) -> list[Table]:
    """Every table of a tab in order, and cards with a message in place of one."""
    reader = _Reader()
    reader.feed(html)
    return [table for table in reader.found if table.rows or table.notes]


def value(text: str) -> Value:
    """£1,234.50 as 1234.50, 1,234 as 1234, other texts unchanged (but `= level` loses its sign: it is no formula)."""
    if not _NUMBER.fullmatch(text):
        return "level" if text == "= level" else text
    number = text.replace("−", "-").replace("£", "").replace(",", "")
    return Decimal(number) if "." in number or "£" in text else int(number)


class _Reader(HTMLParser):
    """Reads names from h2, cells from th and td, notes from a card's head and from messages in place of a table; skips
    hidden elements and definitions."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Table] = []
        self._name = ""
        self._text: list[str] | None = None  # of the element that is being read
        self._skipped: list[str] = []  # open tags inside a skipped element
        self._number, self._head, self._new_card = False, False, True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = set((given.get("class") or "").split())
        skipped = given.get("aria-hidden") == "true" or (tag, given.get("class")) in _SKIPPED
        if self._skipped or skipped:
            self._skipped += [tag] if tag not in _VOID else []
        elif tag in ("h2", "th", "td") or (tag == "p" and classes & _NOTES) or (tag == "span" and self._head):
            self._text = self._text if tag == "span" and self._text is not None else []
            self._number = tag == "td" and bool(classes & _NUMBERS) and _TEXT not in classes
        elif tag == "header":
            self._head = True
        elif tag == "table":
            self._current_table().rows.clear()
        elif tag == "tr" and self.found:
            self.found[-1].rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._skipped.pop()
        elif tag == "h2":
            self._name = self._take_text()
            self.found.append(Table(self._name))
            self._new_card = True
        elif tag == "header":
            self._head = False
        elif tag in ("span", "p") and self._text is not None and (tag == "p" or self._head) and self.found:
            self.found[-1].notes += [text] if (text := self._take_text()) else []
        elif tag in ("th", "td"):
            text = self._take_text()
            self.found[-1].rows[-1].append(value(text) if self._number else text)

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._skipped:
            self._text.append(data)

    def _current_table(self) -> Table:
        """The first table of a card; a second one gets an entry of its own under the same name."""
        if not self.found or not self._new_card:
            self.found.append(Table(self._name))
        self._new_card = False
        return self.found[-1]

    def _take_text(self) -> str:
        text, self._text = " ".join("".join(self._text or []).split()), None
        return text
