"""The rows of one file, every cell as the text that the file holds."""

import csv
import io

import pyarrow as pa
import pyarrow.csv

from t3lib.feed.bounds import FeedError, cut, require_rows, visible
from t3lib.feed.parquet import read_parquet

COLUMNS = ("timestamp", "type", "total")
# Cells repeat: a column is its distinct texts, and for each row the place of its own among them.
WORDS = pa.dictionary(pa.int32(), pa.string())
RAW_SCHEMA = pa.schema([("file_id", pa.int64()), ("row_number", pa.int32()), *((name, WORDS) for name in COLUMNS)])
MAX_HEADER = 10_000


def read(key: str, data: bytes) -> pa.Table:
    """One row per row of a sales file: timestamp, type, total as text, null where the cell is absent.

    Raises FeedError('unreadable' | 'bad_header')."""
    if not data:
        raise FeedError("unreadable", "The file is empty (0 bytes): upload it again.")
    return _table(read_parquet(data, _places)) if key.endswith(".parquet") else _csv(text(data))


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


def _csv(content: str) -> pa.Table:
    header, _, body = content.lstrip("\r\n").partition("\n")
    if len(header) > MAX_HEADER or "\r" in header.rstrip("\r"):
        header, _, body = content.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n").partition("\n")
    if len(header) > MAX_HEADER:
        raise FeedError("bad_header", f"The first line has {len(header):,} characters; three names are enough.")
    delimiter = next((d for d in ",;\t" if d in header), ",")
    body = body.removeprefix("\ufeff")
    names = next(csv.reader([header.rstrip("\r")], delimiter=delimiter), [])
    places, width = _places(names), len(names)
    try:
        read = _fast_csv if '"' not in body else _slow_csv
        return read(body, delimiter, places, width)
    except pa.ArrowInvalid:
        return _slow_csv(body, delimiter, places, width)


def _places(header: list[str]) -> list[int]:
    """Positions of timestamp, type, total in a header. Raises FeedError when one is missing or doubled."""
    names = [name.strip().lower() for name in header]
    if sorted(n for n in names if n in COLUMNS) != sorted(COLUMNS):
        shown = ", ".join(names)[:80] or "nothing"
        raise FeedError("bad_header", f"The first line must name timestamp, type and total; it says: {shown}.")
    return [names.index(name) for name in COLUMNS]


def _fast_csv(body: str, delimiter: str, places: list[int], width: int) -> pa.Table:
    names = [f"c{place}" for place in range(width)]
    if not body.strip("\r\n"):
        return _table([[], [], []])
    table = pyarrow.csv.read_csv(
        io.BytesIO(body.encode()),
        read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, quote_char=False),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=[names[place] for place in places],
            column_types=dict.fromkeys(names, WORDS),
            strings_can_be_null=False,
        ),
    )
    return _table(table.columns)


def _slow_csv(body: str, delimiter: str, places: list[int], width: int) -> pa.Table:
    """The same by the standard library: quotes, short rows (null cells), long rows (a total at the end keeps all)."""
    columns: list[list[str | None]] = [[], [], []]
    total = places[2]
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if not row:
                continue
            require_rows(len(columns[0]) + 1)
            if len(row) > width and total == width - 1:
                row[total:] = [delimiter.join(row[total:])]
            for column, place in zip(columns, places, strict=True):
                column.append(row[place] if place < len(row) else None)
    except csv.Error as error:
        raise FeedError("unreadable", f"Line {reader.line_num + 1} is not CSV ({error}).") from None
    return _table(columns)


def _table(columns: list) -> pa.Table:
    """Columns as a table within bounds."""
    cells = [pa.chunked_array([column], pa.string()) if isinstance(column, list) else column for column in columns]
    require_rows(len(cells[0]))
    return pa.table({name: _words(column) for name, column in zip(COLUMNS, cells, strict=True)})


def _words(column: pa.ChunkedArray) -> pa.DictionaryArray:
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    return pa.DictionaryArray.from_arrays(coded.indices, cut(coded.dictionary))
