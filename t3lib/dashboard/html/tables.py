"""The tables of a page's cards as rows of texts and numbers: what a download holds is what is seen."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

Value = str | int | Decimal
# As this page writes them: thousands in commas, no zero before another digit. `007` is a name.
_NUMBER = re.compile(r"[-−+]?£?(0|[1-9]\d{0,2}(,\d{3})*)(\.\d+)?")
# Not read out with a card's name or a cell: definitions, and what only eyes or only ears get twice.
_QUIET = {("details", "t3-help"), ("nav", "t3-pages")}
_NUMBERS, _TEXT = {"t3-number", "t3-heat-cell", "t3-file"}, "t3-text"
_SAID = {"t3-none", "t3-lacks"}


@dataclass
class Table:
    """A card's name, its table (the head first; pounds and counts are numbers, all else is text), and what the card
    says beside it: what it is compared with, what it lacks."""

    name: str
    rows: list[list[Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def tables(html: str) -> list[Table]:
    """Every table of a sheet in its order, and cards that say why they have none."""
    reader = _Reader()
    reader.feed(html)
    return [table for table in reader.found if table.rows or table.notes]


def value(text: str) -> Value:
    """£1,234.50 as 1234.50, 1,234 as 1234, others as they are (but for the sign of `= level`: it is no formula)."""
    if not _NUMBER.fullmatch(text):
        return "level" if text == "= level" else text
    plain = text.replace("−", "-").replace("£", "").replace(",", "")
    return Decimal(plain) if "." in plain or "£" in text else int(plain)


class _Reader(HTMLParser):
    """Takes names from h2, cells from th and td, notes from a card's head and from what stands in place of a table;
    leaves out what is hidden and what only explains."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Table] = []
        self._name, self._text, self._quiet = "", None, []
        self._number, self._head, self._fresh = False, False, True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        looks = set((given.get("class") or "").split())
        quiet = given.get("aria-hidden") == "true" or (tag, given.get("class")) in _QUIET
        if self._quiet or quiet:
            self._quiet += [tag] if tag not in _VOID else []
        elif tag in ("h2", "th", "td") or (tag == "p" and looks & _SAID) or (tag == "span" and self._head):
            self._text = self._text if tag == "span" and self._text is not None else []
            self._number = tag == "td" and bool(looks & _NUMBERS) and _TEXT not in looks
        elif tag == "header":
            self._head = True
        elif tag == "table":
            self._open().rows.clear()
        elif tag == "tr" and self.found:
            self.found[-1].rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if self._quiet:
            self._quiet.pop()
        elif tag == "h2":
            self._name = self._taken()
            self.found.append(Table(self._name))
            self._fresh = True
        elif tag == "header":
            self._head = False
        elif tag in ("span", "p") and self._text is not None and (tag == "p" or self._head) and self.found:
            self.found[-1].notes += [text] if (text := self._taken()) else []
        elif tag in ("th", "td"):
            text = self._taken()
            self.found[-1].rows[-1].append(value(text) if self._number else text)

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._quiet:
            self._text.append(data)

    def _open(self) -> Table:
        """The table of the card at hand; a card's second one is a table of its own under the same name."""
        if not self.found or not self._fresh:
            self.found.append(Table(self._name))
        self._fresh = False
        return self.found[-1]

    def _taken(self) -> str:
        text, self._text = " ".join("".join(self._text or []).split()), None
        return text


_VOID = {"br", "img", "input", "rect"}
