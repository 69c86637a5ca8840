"""Every table that analysts may read, in one line: `tables.sales_hourly.pandas()`, `.arrow()` or `.sql()`.

`tables.sales_hourly` says what its rows and columns are; `tables.listed()` lists all, as docs/tables.md does. A name
that two schemas have means the one of `mart`; `tables.named("ops.restatement")` is exact.

>>> from t3lib.explore import tables
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any, NoReturn, TypeVar, cast

import pandas as pd
import pyarrow as pa

from t3lib.explore import reading
from t3lib.metrics.frames import Query
from t3lib.problems import WrongUseError
from t3lib.warehouse.checks.data_dictionary import Described

_Method = TypeVar("_Method", bound=Callable[..., Any])
_BIGINT = 2**63 - 1


def _checked(method: _Method) -> _Method:
    """A method that reads a table and says in words which argument is wrong. Raises WrongUseError."""

    @wraps(method)
    def read(self: "Table", where: str = "", limit: int | None = None, **other: Any) -> Any:
        name = f"{self.written}.{method.__name__}"
        if other:
            raise WrongUseError(
                f"{name} has no argument {', '.join(other)}: it takes a condition in SQL and a number of rows, as in "
                f'{name}("{self.condition(*other)}", limit=1000).'
            )
        if not isinstance(where, str):
            raise WrongUseError(
                f'{name}: the condition is SQL in quotes, as in {name}("{self.condition()}"), not {where!r}; a number '
                f"of rows is limit=1000."
            )
        if limit is not None and (
            isinstance(limit, bool) or not hasattr(limit, "__index__") or not 0 <= limit <= _BIGINT
        ):
            raise WrongUseError(f"{name}: limit is a number of rows, as in limit=1000, not {limit!r}.")
        return method(self, where, limit)

    return cast(_Method, read)


@dataclass(frozen=True)
class Table:
    """One table or view of the database, read under the role that only reads.

    namesakes: the full names of tables in other schemas that have the same name."""

    described: Described
    namesakes: tuple[str, ...] = ()

    @_checked
    def pandas(self, where: str = "", limit: int | None = None) -> pd.DataFrame:
        """Its rows as a pandas frame, those that meet a condition in SQL: pence are whole, times UTC.

        >>> tables.sales_hourly.pandas("local_hour = 13", limit=5)[["truck_id", "total_pence"]].values.tolist()
        [[3, 700]]
        """
        return reading.pandas(self.arrow(where, limit))

    @_checked
    def arrow(self, where: str = "", limit: int | None = None) -> pa.Table:
        """Its rows as an Arrow table: a third of the memory of pandas, and ready for DuckDB or Polars.

        >>> tables.sale.arrow().schema.field("total_pence").type
        DataType(int64)
        """
        from psycopg import errors  # not while kernels are warmed: it is slow to import

        try:
            return reading.arrow(self.sql(where, limit).replace("%", "%%"))
        except (errors.SyntaxError, errors.UndefinedColumn, errors.UndefinedFunction, errors.DataError) as error:
            said = str(error).splitlines()[0]
            raise WrongUseError(
                f"The condition {where!r} of {self.described.full_name} does not work: {said}. Write it in SQL, as in "
                f'"{self.condition()}"; its columns are {self._columns}.'
            ) from None

    @_checked
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

    @property
    def written(self) -> str:
        """How a notebook names it."""
        own = self.described
        return (
            f"tables.{own.name}" if own.schema == "mart" or not self.namesakes else f'tables.named("{own.full_name}")'
        )

    def condition(self, *names: str) -> str:
        """An example of a condition, about one of these columns if it has one."""
        columns = {column.name: column.type for column in self.described.columns}
        name = next((name for name in (*names, "truck_id") if name in columns), next(iter(columns)))
        return f"{name} = 1" if "int" in columns[name] or "numeric" in columns[name] else f"{name} IS NOT NULL"

    @property
    def _columns(self) -> str:
        return ", ".join(column.name for column in self.described.columns)

    @property
    def _about(self) -> str:
        also = "".join(f' Not {name}, which is tables.named("{name}").' for name in self.namesakes)
        return f"{self.described.about}{also}"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        ways = ".pandas(), .arrow() and .sql()"
        if name in [column.name for column in self.described.columns]:
            raise AttributeError(f'{name} is a column: {self.written}.pandas()["{name}"] gives its values.')
        raise AttributeError(
            f"{self.described.full_name} has no {name!r}: it is read by {ways}, as in "
            f'{self.written}.pandas("{self.condition()}", limit=1000); its columns are {self._columns}.'
        )

    def __repr__(self) -> str:
        lines = [f"{column.name:20} {column.type:26} {column.about}" for column in self.described.columns]
        return "\n".join([f"{self.described.full_name}: {self._about}", *lines])

    def _repr_html_(self) -> str:
        cells = ((column.name, column.type, column.about) for column in self.described.columns)
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        named = f"<b>{self.described.full_name}</b>: {html.escape(self._about)}"
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
            others = (other.full_name for other in found if other.name == table.name and other is not table)
            return Table(table, tuple(others))
    full = {known: table.full_name for table in found for known in (table.full_name, table.name)}
    near = list(dict.fromkeys(full[known] for known in get_close_matches(name, full, n=3)))
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    every = ", ".join(table.full_name for table in found)
    raise KeyError(f"There is no table {name!r}.{meant} tables.listed() describes all: {every}.")


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
