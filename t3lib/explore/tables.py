"""Every table that analysts may read, in one line: `tables.sales_hourly.pandas()`, `.arrow()` or `.sql()`.

`tables.sales_hourly` says what its rows and columns are; `tables.listed()` lists all, as docs/tables.md does. A name
that two schemas have means the one of `mart`; `tables.named("ops.restatement")` is exact.

>>> from t3lib.explore import tables
"""

import html
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from t3lib.explore import reading
from t3lib.metrics.frames import Query
from t3lib.warehouse.checks.data_dictionary import Described


@dataclass(frozen=True)
class Table:
    """One table or view of the database, read under the role that only reads."""

    described: Described

    def pandas(self, where: str = "", limit: int | None = None) -> pd.DataFrame:
        """Its rows as a pandas frame, those that meet a condition in SQL: pence are whole, times UTC.

        >>> tables.sales_hourly.pandas("local_hour = 13", limit=5)[["truck_id", "total_pence"]].values.tolist()
        [[3, 700]]
        """
        return reading.pandas(self.arrow(where, limit))

    def arrow(self, where: str = "", limit: int | None = None) -> pa.Table:
        """Its rows as an Arrow table: a third of the memory of pandas, and ready for DuckDB or Polars.

        >>> tables.sale.arrow().schema.field("total_pence").type
        DataType(int64)
        """
        return reading.arrow(self.sql(where, limit).replace("%", "%%"))

    def sql(self, where: str = "", limit: int | None = None) -> Query:
        """The SELECT that reads it, to start a saved query from (notebooks/queries/).

        >>> print(tables.location.sql(limit=5))
        SELECT location_id, name
        FROM core.location
        LIMIT 5
        """
        columns = ", ".join(column.name for column in self.described.columns)
        condition = f"\nWHERE {where}" if where else ""
        most = "" if limit is None else f"\nLIMIT {int(limit)}"
        return Query(f"SELECT {columns}\nFROM {self.described.full_name}{condition}{most}")

    def __repr__(self) -> str:
        lines = [f"{column.name:20} {column.type:26} {column.about}" for column in self.described.columns]
        return "\n".join([f"{self.described.full_name}: {self.described.about}", *lines])

    def _repr_html_(self) -> str:
        cells = ((column.name, column.type, column.about) for column in self.described.columns)
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        named = f"<b>{self.described.full_name}</b>: {html.escape(self.described.about)}"
        return f"<p>{named}</p><table><tr><th>column</th><th>type</th><th>what it is</th></tr>{rows}</table>"


def listed() -> pd.DataFrame:
    """One row per table: its name, what one row of it is, and its columns.

    >>> tables.listed().set_index("table").loc["core.truck", "rows"]
    'One row per truck (details.xlsx, and trucks that only files name).'
    """
    rows = [
        (table.full_name, table.about, ", ".join(column.name for column in table.columns)) for table in _described()
    ]
    return pd.DataFrame(rows, columns=["table", "rows", "columns"])


def named(name: str) -> Table:
    """A table by its name, with or without its schema. Raises KeyError, which lists the tables.

    >>> tables.named("ops.run").described.full_name
    'ops.run'
    """
    found = _described()
    for table in found:  # those of mart first
        if name in (table.name, table.full_name):
            return Table(table)
    raise KeyError(f"There is no table {name!r}: choose one of {', '.join(table.full_name for table in found)}.")


def __getattr__(name: str) -> Table:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return named(name)
    except KeyError as error:
        raise AttributeError(error.args[0]) from None


def __dir__() -> list[str]:
    return sorted({"listed", "named", *(table.name for table in _described())})


def _described() -> list[Described]:
    from t3lib import warehouse
    from t3lib.warehouse.checks import data_dictionary

    with warehouse.connect() as db:
        return data_dictionary.described(db)
