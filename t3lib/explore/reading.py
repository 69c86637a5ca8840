"""Any query as Arrow or pandas, under the role that only reads: one statement, in a transaction that cannot write."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from t3lib.problems import RefusedError
from t3lib.settings import settings
from t3lib.warehouse.db.connection import libpq_url

if TYPE_CHECKING:
    import psycopg

ROWS = 50_000  # read at a time
# By Postgres's number of a type; what is not here is text.
_TYPES = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 700: pa.float32(), 701: pa.float64(),
    1082: pa.date32(), 1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC"), 1009: pa.list_(pa.string()),
}  # fmt: skip
_NUMERIC, _TEXTS = 1700, (18, 19, 25, 1043)
_INTEGERS = {pa.int64(): pd.Int64Dtype()}


@contextmanager
def reader() -> Iterator["psycopg.Connection[Any]"]:
    """A connection under the analyst's role, in a transaction that no statement can make writable again."""
    import psycopg  # not while kernels are warmed: it is slow to import

    own = settings().database_url_analyst
    url = own.get_secret_value() if own else settings().need("database_url")
    with psycopg.connect(libpq_url(url), application_name="t3 query") as db:
        db.read_only = True
        db.execute("SET LOCAL timezone = 'UTC'")
        db.execute("SELECT 1")  # from the first query on, Postgres refuses to make a transaction writable
        yield db


def arrow(sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
    """The rows of one SELECT with %(name)s for values, as an Arrow table.

    Integers, dates and booleans keep their types, times are UTC. A numeric becomes a float, but pence (what ends in
    `_pence`) stay whole: a fraction is refused. JSON and other types become text."""
    with reader() as db:
        # A prepared statement is one statement: what follows a semicolon is refused.
        cursor = db.execute(sql, values or {}, prepare=True)
        if cursor.description is None:
            raise RefusedError("The query returns no rows: write one SELECT.")
        columns = [(column.name, column.type_code) for column in cursor.description]
        schema = pa.schema([(name, _type(name, code)) for name, code in columns])
        parts = []
        while rows := cursor.fetchmany(ROWS):
            by_column = zip(columns, zip(*rows, strict=True), strict=True)
            arrays = [_array(values, name, code) for (name, code), values in by_column]
            parts.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(parts, schema)


def pandas(table: pa.Table) -> pd.DataFrame:
    """An Arrow table as pandas: integers that may be missing stay integers, dates are datetime64, times UTC."""
    return table.to_pandas(types_mapper=_INTEGERS.get, date_as_object=False)


def _type(name: str, code: int) -> pa.DataType:
    if code == _NUMERIC:
        return pa.int64() if name.endswith("_pence") else pa.float64()
    return _TYPES.get(code, pa.string())


def _array(values: Iterable[Any], name: str, code: int) -> pa.Array:
    kind = _type(name, code)
    if code == _NUMERIC and pa.types.is_integer(kind):
        return pa.array([_whole(value, name) for value in values], kind)
    if code == _NUMERIC:
        return pa.array([None if value is None else float(value) for value in values], kind)
    if pa.types.is_string(kind) and code not in _TEXTS:
        return pa.array([None if value is None else _text(value) for value in values], kind)
    return pa.array(values, kind)


def _whole(value: Any, name: str) -> int | None:
    if value is not None and value != int(value):
        raise RefusedError(f"Column {name} holds {value}, which is not whole pence: round it, or name it otherwise.")
    return None if value is None else int(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
