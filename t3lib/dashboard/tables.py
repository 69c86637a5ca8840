"""The tables of a page's cards as rows of texts and numbers: what a download holds is what is seen."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

Value = str | int | Decimal
_NUMBER = re.compile(r"[-−]?£?\d{1,3}(,?\d{3})*(\.\d+)?")
# Not read out with a card's name or a cell: definitions, and what only eyes or only ears get twice.
_QUIET = {("details", "t3-help")}


@dataclass
class Table:
    """A card's name and its table: the head first; pounds and counts are numbers, all else is text."""

    name: str
    rows: list[list[Value]] = field(default_factory=list)


def tables(html: str) -> list[Table]:
    """Every table of a sheet, in its order."""
    reader = _Reader()
    reader.feed(html)
    return [table for table in reader.found if table.rows]


def value(text: str) -> Value:
    """£1,234.50 as 1234.50, 1,234 as 1234, others as they are (but for the sign of `= level`: it is no formula)."""
    if not _NUMBER.fullmatch(text):
        return text.removeprefix("= ")
    plain = text.replace("−", "-").replace("£", "").replace(",", "")
    return Decimal(plain) if "." in plain or "£" in text else int(plain)


class _Reader(HTMLParser):
    """Takes names from h2, cells from th and td; leaves out what is hidden and what only explains."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Table] = []
        self._name, self._text, self._quiet = "", None, []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        quiet = given.get("aria-hidden") == "true" or (tag, given.get("class")) in _QUIET
        if self._quiet or quiet:
            self._quiet += [tag] if tag not in _VOID else []
        elif tag in ("h2", "th", "td"):
            self._text = []
        elif tag == "table":
            self.found.append(Table(self._name))
        elif tag == "tr" and self.found:
            self.found[-1].rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if self._quiet:
            self._quiet.pop()
        elif tag == "h2":
            self._name = self._taken()
        elif tag in ("th", "td"):
            self.found[-1].rows[-1].append(value(self._taken()))

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._quiet:
            self._text.append(data)

    def _taken(self) -> str:
        text, self._text = " ".join("".join(self._text or []).split()), None
        return text


_VOID = {"br", "img", "input", "rect"}
