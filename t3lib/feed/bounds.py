"""How much of one file is read. What is larger is refused or cut, so that no file fills a worker's memory."""

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

MOST_BYTES = 64 * 2**20  # of an object in the bucket
MOST_UNPACKED = 128 * 2**20  # of a file after unpacking
MOST_ROWS = 2_500_000
MOST_CHARACTERS = 1000  # of a cell
MOST_IN_ROW = 10_000  # characters of a row that is kept as it was written
MARK = " … cut here: a {what} may have {most:,} characters"


class FeedError(Exception):
    """A file that cannot be read as rows. state is the ledger's outcome, the text its reason."""

    def __init__(self, state: str, reason: str):
        super().__init__(" ".join(visible(reason).split()))
        self.state = state


def visible(text: str) -> str:
    """Text that databases can hold: a NUL becomes a visible sign."""
    return text.replace("\0", "␀")


def with_code_points(name: str) -> str:
    """A name in which characters outside ASCII show their code point and name: they may be invisible, or look like
    others."""
    return "".join(c if " " <= c <= "~" else f"<U+{ord(c):04X} {unicodedata.name(c, 'control')}>" for c in name)


def cut(cells: pa.Array | pa.ChunkedArray, most: int = MOST_CHARACTERS) -> pa.Array | pa.ChunkedArray:
    """Text cells, very long ones cut off with a mark; no price or time is ever as long."""
    size = pc.utf8_length(cells)
    if (pc.max(size).as_py() or 0) <= most:
        return cells
    mark = MARK.format(what="cell" if most == MOST_CHARACTERS else "row", most=most)
    short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(cells, 0, most), mark, "")
    return pc.if_else(pc.greater(size, most), short, cells)


def require_rows(rows: int) -> None:
    """Raise FeedError when a file has more rows than a truck can have sold in years."""
    if rows > MOST_ROWS:
        raise FeedError("unreadable", f"The file has more than {MOST_ROWS:,} rows: split it and upload the parts.")


def require_unpacked(size: int) -> None:
    """Raise FeedError when a file is too large after unpacking."""
    if size > MOST_UNPACKED:
        most = MOST_UNPACKED // 2**20
        raise FeedError("unreadable", f"The file unpacks to more than {most} MB: split it and upload the parts.")
