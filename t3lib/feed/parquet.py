"""The cells of a Parquet file as the text that a person would have written into a CSV."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from t3lib.feed.bounds import FeedError, cut, require_rows, require_unpacked

ROWS_AT_ONCE = 65_536
_WRITTEN = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean,
            pa.types.is_timestamp, pa.types.is_date, pa.types.is_time, pa.types.is_null)  # fmt: skip


def read_parquet(data: bytes, places: Callable[[list[str]], list[int]]) -> tuple[list[str], list[pa.ChunkedArray]]:
    """All names, and the wanted columns as text, dictionary-encoded or not; `places` finds these. Raises FeedError."""
    try:
        names = pq.read_schema(pa.BufferReader(data)).names
        wanted = [names[place] for place in places(names)]
        file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=_text_columns(data, wanted))
        return names, _read(file, wanted)
    except FeedError:
        raise
    except Exception as error:  # damage makes the reader raise whatever its parts raise
        raise FeedError("unreadable", f"Not a complete Parquet file ({_one_line(error)}): upload it again.") from None


def _read(file: pq.ParquetFile, wanted: list[str]) -> list[pa.ChunkedArray]:
    """Read in portions. Text comes dictionary-encoded, so that its size is known before it is unpacked."""
    require_rows(file.metadata.num_rows)
    require_unpacked(_stated_size(file.metadata))
    portions: list[list[pa.Array]] = [[] for _ in wanted]
    size = 0
    for batch in file.iter_batches(ROWS_AT_ONCE, columns=wanted, use_threads=False):
        coded = [_coded(batch.column(name)) for name in wanted]
        size += sum(map(_size, coded))
        require_unpacked(size)
        for portion, column in zip(portions, coded, strict=True):
            portion.append(column.dictionary_decode() if pa.types.is_dictionary(column.type) else column)
    return [pa.chunked_array(portion, pa.string()) for portion in portions]


def _text_columns(data: bytes, wanted: list[str]) -> list[str]:
    """Those of the columns that hold text. Raises FeedError when one holds neither text nor numbers."""
    schema = pq.read_schema(pa.BufferReader(data))
    kinds = {name: schema.field(name).type for name in wanted}
    for kind in kinds.values():
        if not _is_text(_values(kind)) and not any(is_kind(_values(kind)) for is_kind in _WRITTEN):
            raise FeedError("unreadable", f"A column holds {str(kind)[:80]}, not text or numbers.")
    return [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]


def _stated_size(found: pq.FileMetaData) -> int:
    """The unpacked size in bytes that the file itself states.

    Not by column: reading a damaged column's metadata crashes the process (seen with pyarrow 26.0)."""
    return sum(found.row_group(group).total_byte_size for group in range(found.num_row_groups))


def _coded(column: pa.Array) -> pa.Array:
    """A column as text, dictionary-encoded where it was."""
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(column.indices, _text(column.dictionary))
    return _text(column)


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if _is_text(kind):
        words = _decoded(column)
        return cut(pc.replace_substring(words, "\0", "␀"))
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return column.cast(pa.string())  # 8.7 as it was meant, not 8.699999809
    try:
        return pa.array([None if value is None else _written(value) for value in column.to_pylist()], pa.string())
    except (ValueError, OverflowError):  # a year outside Python's range
        return column.cast(pa.string())


def _decoded(column: pa.Array) -> pa.Array:
    """UTF-8, or Latin-1 where a cell is not, as in a CSV file."""
    raw = column.cast(pa.binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if cell is None else _utf8_or_latin1(cell) for cell in raw.to_pylist()], pa.string())


def _utf8_or_latin1(cell: bytes) -> str:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell.decode("latin-1")


def _size(column: pa.Array) -> int:
    """Bytes of the text, each value counted as often as it occurs."""
    if not pa.types.is_dictionary(column.type):
        sizes = pc.binary_length(column)
    else:
        sizes = pc.binary_length(column.dictionary).cast(pa.int64()).take(column.indices)
    total: int = pc.sum(sizes, min_count=0).as_py()
    return total


def _is_text(kind: pa.DataType) -> bool:
    kinds = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    return str(kind) in kinds or pa.types.is_fixed_size_binary(kind)


def _values(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__
