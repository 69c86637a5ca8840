"""The rows of one sales file, every cell as text."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import pyarrow as pa
import pyarrow.csv

from t3lib.feed import csv_records, unread_columns
from t3lib.feed.bounds import MOST_CHARACTERS, MOST_IN_ROW, FeedError, cut, require_rows, visible, with_code_points
from t3lib.feed.csv_records import Text
from t3lib.feed.moments import parse_moment
from t3lib.feed.parquet import read_parquet
from t3lib.money import parse_pence

COLUMNS = ("timestamp", "type", "total")
PAYMENT_TYPES = ("card", "cash")
# Cells repeat: a column is its distinct texts, and for each row the place of its own among them.
WORDS = pa.dictionary(pa.int32(), pa.string())
# `line` is the complete row as written if it has more or fewer cells than the header; its other cells are null then.
RAW_SCHEMA = pa.schema(
    [("file_id", pa.int64()), ("row_number", pa.int32()), *((name, WORDS) for name in (*COLUMNS, "line"))]
)
_CELLS = pa.schema(list(RAW_SCHEMA)[2:])
Column: TypeAlias = pa.ChunkedArray | list[str | None]


@dataclass(frozen=True)
class Reading:
    """What a sales file holds: its rows, the names of the columns that are not read, and which values of these say that
    rows may not be sales (None: no such value)."""

    rows: pa.Table
    columns_not_read: list[str]
    doubt: str | None


def read(key: str, data: bytes) -> pa.Table:
    """One row per row of a sales file: timestamp, type, total as text, or else line. Raises FeedError as examine."""
    return examine(key, data).rows


def examine(key: str, data: bytes) -> Reading:
    """The rows of a sales file, and what was not read of it. Raises FeedError('unreadable' | 'bad_header')."""
    if not data:
        raise FeedError("unreadable", "The file is empty (0 bytes): upload it again.")
    if key.endswith(".parquet"):
        return _reading(*read_parquet(data, _wanted))
    found = csv_records.split_header(text(data))
    if (columns := _fast_csv(found)) is not None:
        return _reading(found.names, columns)
    return _reading(found.names, *_slow_csv(found))


def text(data: bytes) -> str:
    """Decode UTF-8, UTF-16 (by its mark) or Latin-1; NUL bytes become a visible sign that databases can hold."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return visible(data.decode("utf-16"))
        except UnicodeDecodeError:
            raise FeedError("unreadable", "The file says that it is UTF-16 but is not: upload it again.") from None
    try:
        decoded = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        decoded = data.decode("latin-1")
    return visible(decoded)


def _places(header: list[str]) -> list[int]:
    """Positions of timestamp, type, total in a header. Raises FeedError when one is missing or doubled."""
    names = [name.strip().lower() for name in header]
    if sorted(n for n in names if n in COLUMNS) != sorted(COLUMNS):
        shown = ", ".join(map(with_code_points, names))[:300] or "nothing"
        raise FeedError("bad_header", f"The first line must name timestamp, type and total once; it says: {shown}.")
    return [names.index(name) for name in COLUMNS]


def _wanted(header: list[str]) -> list[int]:
    """The places of the three columns, then of those that may say that rows are not sales."""
    return _wanted_of(tuple(header))


@lru_cache(maxsize=64)  # most files of a fleet have one header
def _wanted_of(header: tuple[str, ...]) -> list[int]:
    places = _places(list(header))
    return [*places, *unread_columns.suspect(list(header), places)]


def _fast_csv(text: Text) -> list[Column] | None:
    """The wanted columns of a text with a row per line; None if that is not sure."""
    names, wanted = [f"c{place}" for place in range(len(text.names))], _wanted(text.names)
    if not text.body.strip("\r\n"):
        return [[] for _ in wanted]
    if not csv_records.has_a_record_per_line(text):
        return None
    rows = csv_records.filled_lines(text.body)
    require_rows(rows)
    try:
        table = _arrow(text, names, [names[place] for place in wanted])
    except pa.ArrowInvalid:  # a row with another number of cells, or one too large for its blocks
        return None
    return table.columns if table.num_rows == rows else None


def _arrow(text: Text, names: list[str], wanted: list[str]) -> pa.Table:
    quote = '"' if '"' in text.body else False
    return pyarrow.csv.read_csv(
        io.BytesIO(text.body.encode()),
        read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=text.delimiter, quote_char=quote),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(names, WORDS), strings_can_be_null=False
        ),
    )


def _slow_csv(text: Text) -> tuple[list[Column], Column]:
    """The wanted columns, and the lines of the rows whose number of cells is not the header's."""
    wanted, width = _wanted(text.names), len(text.names)
    columns: list[list[str | None]] = [[] for _ in wanted]
    lines: list[str | None] = []
    for record in csv_records.records(text, _row_like(wanted[:3], width)):
        fits = len(record.cells) == width
        require_rows(len(lines) + 1)
        lines.append(None if fits else record.text)
        for column, place in zip(columns, wanted, strict=True):
            column.append(record.cells[place] if fits else None)
    return columns, lines


def _row_like(places: list[int], width: int) -> Callable[[list[str]], bool]:
    """Tells whether the cells of one line may be a row: they hold a time, or are as many as a row has and hold a
    payment or an amount in its place."""

    def is_row(cells: list[str]) -> bool:
        time, payment, total = (cells[place] if place < len(cells) else "" for place in places)
        if len(cells) > 1 and parse_moment(time) is not None:
            return True
        known = payment.lower() in PAYMENT_TYPES or parse_pence(total)[1] not in ("not_a_number", "missing_total")
        return len(cells) >= width and known

    return is_row


def _reading(header: list[str], columns: list[Column], lines: Column | None = None) -> Reading:
    wanted = _wanted(header)
    doubts = [
        unread_columns.doubt(header[place], _encoded(column).dictionary.to_pylist())
        for place, column in zip(wanted[3:], columns[3:], strict=True)
    ]
    doubt = "; ".join(filter(None, doubts)) or None
    return Reading(_table(columns[:3], lines), unread_columns.names(header, wanted[:3]), doubt)


def _table(columns: list[Column], lines: Column | None) -> pa.Table:
    """The columns as a table. Raises FeedError when there are too many rows."""
    require_rows(len(columns[0]))
    absent = pa.nulls(len(columns[0]), WORDS) if lines is None else _encoded(lines, MOST_IN_ROW)
    return pa.Table.from_arrays([*map(_encoded, columns), absent], schema=_CELLS)


def _encoded(column: Column, most: int = MOST_CHARACTERS) -> pa.DictionaryArray:
    column = pa.chunked_array([column], pa.string()) if isinstance(column, list) else column
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    return pa.DictionaryArray.from_arrays(coded.indices, cut(coded.dictionary, most))
