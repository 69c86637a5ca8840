"""A transaction that moves Arrow tables: psycopg with server-side parameters ($1, $2) and binary COPY."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from t3lib.settings import settings
from t3lib.warehouse.db import copy_binary
from t3lib.warehouse.db.connection import libpq_url

_KINDS = {
    "bool": pa.bool_(), "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "text": pa.string(),
    "date": pa.date32(), "timestamptz": pa.timestamp("us", "UTC"),
}  # fmt: skip


class Cursor(psycopg.RawCursor[tuple[Any, ...]]):
    """A cursor that reads and writes Arrow tables."""

    def table(self) -> pa.Table:
        """The rows of the last query."""
        kinds = [_KINDS[self.connection.adapters.types[column.type_code].name] for column in self.description or ()]
        columns = zip(*self.fetchall(), strict=True) if self.rowcount else ([] for _ in kinds)
        arrays = [pa.array(list(values), kind) for values, kind in zip(columns, kinds, strict=True)]
        return pa.table(arrays, names=[column.name for column in self.description or ()])

    def copy_in(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table (schema.table) by COPY; columns go by name."""
        columns = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
        into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(*name.split(".")), columns)
        with self.copy(into) as copy:
            for piece in copy_binary.encode(rows):
                copy.write(piece)

    def temporary_table(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table of rows; it is dropped when the transaction ends."""
        columns = ", ".join(f'"{column}" {kind}' for column, kind in copy_binary.types(rows.schema).items())
        self.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        self.copy_in(name, rows)

    def copy_out(self, query: str, parameters: list[Any], schema: pa.Schema) -> pa.Table:
        """The rows of a query by COPY, for many rows; `schema` is the result's."""
        given = re.sub(r"\$(\d+)", lambda found: sql.quote(parameters[int(found[1]) - 1], self), query)
        stream = bytearray()
        with self.copy(f"COPY ({given}) TO STDOUT (FORMAT binary)") as copy:
            for row in copy:
                stream += row
        found = copy_binary.decode(bytes(stream), schema)
        return found if found is not None else self.execute(query, parameters).table().cast(schema)


@contextmanager
def transaction(url: str | None = None) -> Iterator[Cursor]:
    """A cursor whose changes commit together on success.

    An error that may not occur in a retry (a deadlock, a restart, a timeout) is raised as a plain OperationalError; a
    limit of Postgres (SQLSTATE 54) stays, and keeps its own class."""
    url = libpq_url(url or settings().need("database_url"))
    try:
        with psycopg.connect(url, prepare_threshold=None) as connection, Cursor(connection) as cursor:
            yield cursor
    except psycopg.OperationalError as error:
        if (error.sqlstate or "").startswith("54"):
            raise
        raise psycopg.OperationalError(str(error)) from error
