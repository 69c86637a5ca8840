"""Paging of long lists: which rows are shown, of how many, and links to the other pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

# (list, page) of each list that is not at its first page.
Pages = tuple[tuple[str, int], ...]

MOST_DOWNLOADED = 20_000  # rows of a list in one file: fits into a browser's and a kernel's memory
MOST_LISTS, LONGEST_NAME = 8, 20
_PREFIX = "page."


@dataclass(frozen=True)
class Part:
    """The rows of a list that are shown: at most `most` from `skip` on, of `count`."""

    name: str
    most: int
    count: int
    number: int = 1

    @property
    def skip(self) -> int:
        """Number of rows before these."""
        return (self.number - 1) * self.most

    @property
    def rows(self) -> slice:
        """These rows as a slice of the complete list."""
        return slice(self.skip, self.skip + self.most)

    @property
    def complete(self) -> bool:
        """Whether all rows are shown."""
        return self.count <= self.most

    @property
    def range_text(self) -> str:
        """201 to 400 of 2,500; empty where all are shown."""
        last = min(self.skip + self.most, self.count)
        return "" if self.complete else f"{self.skip + 1:,} to {last:,} of {self.count:,}"


def part(pages: Pages, name: str, most: int, count: int) -> Part:
    """The chosen page of a list, or the last page if the list has become shorter."""
    last = max(1, -(-count // most))
    return Part(name, most, count, min(dict(pages).get(name, 1), last))


def with_page(pages: Pages, name: str, number: int) -> Pages:
    """The pages with one list at another page; first pages are left out."""
    others = tuple(one for one in pages if one[0] != name)
    return (*others, (name, number)) if number > 1 else others


def links(shown: Part, link: Callable[[int, str], str]) -> str:
    """The range that is shown and links to the previous and next page; empty if all rows are shown."""
    if shown.complete:
        return ""
    last = -(-shown.count // shown.most)
    before = link(shown.number - 1, "‹ Previous") if shown.number > 1 else "<s>‹ Previous</s>"
    after = link(shown.number + 1, "Next ›") if shown.number < last else "<s>Next ›</s>"
    return (
        f'<nav class="t3-pages" aria-label="Pages of this table">{before}<span>{shown.range_text}</span>{after}</nav>'
    )


def truncation_note(shown: Part, advice: str) -> str:
    """A note in a download that does not hold all rows; empty if it does."""
    if shown.complete:
        return ""
    text = f"The first {shown.most:,} of {shown.count:,} rows: {advice}"
    return f'<p class="t3-lacks">{escape(text)}</p>'


def parts(pages: Pages) -> list[tuple[str, str]]:
    """The pages as parts of a query string."""
    return [(f"{_PREFIX}{name}", str(number)) for name, number in pages]


def read(given: Mapping[str, str]) -> Pages:
    """The pages named in a query string; invalid ones are left out."""
    found = [(name.removeprefix(_PREFIX), text) for name, text in given.items() if name.startswith(_PREFIX)]
    return tuple((name, int(text)) for name, text in found[:MOST_LISTS] if _is_list(name) and _is_page(text))


def _is_list(name: str) -> bool:
    return name.isascii() and name.isalpha() and len(name) <= LONGEST_NAME


def _is_page(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8 and int(text) > 1
