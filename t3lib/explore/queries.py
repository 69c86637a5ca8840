"""Saved queries: SQL files in notebooks/queries/, run in one line: `queries.late_files(days=7)`.

A file says in comments at its top what it answers and, a line each, its parameters with a type and a default:

    -- Files that came late: how long after their three hours had ended.
    -- :days integer = 14  number of business days, up to today
    SELECT ... WHERE batch_date > current_date - :days

Types are integer, number, text, boolean and date; the default of a date may be '', which is NULL in the query.
A query runs as one statement that only reads, whoever runs it.

>>> from t3lib.explore import queries
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from t3lib import business_day
from t3lib.explore import reading
from t3lib.metrics.frames import Query
from t3lib.problems import WrongUseError
from t3lib.settings import ROOT

FOLDER = ROOT / "notebooks" / "queries"
_PARAMETER = re.compile(r"-- :([a-z]\w*) +(\w+) *= *('[^']*'|\S+) *(.*)")
# What is a name of a parameter, after what only looks like one: strings, quoted names, comments and casts.
_WORDS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|::|:([A-Za-z_]\w*)|%", re.DOTALL)


_LARGEST = 2**31 - 1  # of what is added to a date


def _date(value: Any) -> date | None:
    if isinstance(value, date):  # a pandas Timestamp is one, too
        return date(value.year, value.month, value.day)
    return business_day.day_of(str(value)) if value else None


def _boolean(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return str(value).lower() == "true"


# How a value of each type is read, and its type in Postgres.
_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "integer": (int, "bigint"),
    "number": (float, "double precision"),
    "text": (str, "text"),
    "boolean": (_boolean, "boolean"),
    "date": (_date, "date"),
}


@dataclass(frozen=True)
class Parameter:
    """A line of a query's header."""

    name: str
    kind: str
    default: Any
    about: str

    def read(self, value: Any) -> Any:
        """A value of its type. Raises WrongUseError."""
        try:
            if (
                (value is None and self.kind != "date")
                or (isinstance(value, bool) and self.kind != "boolean")
                or "\0" in str(value)
            ):
                raise ValueError(value)
            if isinstance(value, float) and self.kind == "integer" and value != int(value):
                raise ValueError(value)
            found = _KINDS[self.kind][0](value)
            if self.kind == "integer" and abs(found) > _LARGEST:
                raise ValueError(value)
            return found
        except (ValueError, TypeError, OverflowError):
            raise WrongUseError(f"{self.name} is {self.kind} ({self.about}), not {value!r}.") from None


@dataclass(frozen=True)
class Saved:
    """A saved query; calling it gives its rows as pandas."""

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    text: str

    def __call__(self, **values: Any) -> pd.DataFrame:
        return reading.pandas(self.arrow(**values))

    def arrow(self, **values: Any) -> pa.Table:
        """Its rows as an Arrow table. Raises WrongUseError for a parameter that it does not have or cannot take."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if unknown := values.keys() - known.keys():
            takes = ", ".join(known) or "none"
            raise WrongUseError(f"{self.name} has no parameter {', '.join(sorted(unknown))}; it takes {takes}.")
        given = {name: parameter.read(values.get(name, parameter.default)) for name, parameter in known.items()}
        return reading.arrow(self.bound, given)

    @property
    def bound(self) -> str:
        """Its SQL as psycopg takes it: each parameter cast to its type."""
        kinds = {parameter.name: _KINDS[parameter.kind][1] for parameter in self.parameters}

        def replaced(word: re.Match[str]) -> str:
            name = word[1]
            if name is None:
                return word[0].replace("%", "%%")
            if name not in kinds:
                raise WrongUseError(
                    f"{self.name}.sql uses :{name}, which no line `-- :{name} TYPE = DEFAULT` declares."
                )
            return f"CAST(%({name})s AS {kinds[name]})"

        return _WORDS.sub(replaced, self.text)

    @property
    def sql(self) -> Query:
        """Its text, header included."""
        return Query(self.text)

    @property
    def __doc__(self) -> str:  # type: ignore[override]  # what JupyterLab shows for `queries.NAME?`
        lines = [f"{parameter.name}: {parameter.kind}. {parameter.about}" for parameter in self.parameters]
        return "\n".join([self.about, "", *lines]).strip()

    @property
    def __signature__(self) -> inspect.Signature:
        only = inspect.Parameter.KEYWORD_ONLY
        named = [inspect.Parameter(known.name, only, default=known.default) for known in self.parameters]
        return inspect.Signature(named, return_annotation=pd.DataFrame)

    def __repr__(self) -> str:
        return f"queries.{self.name}{self.__signature__}: {self.about}"


def listed() -> pd.DataFrame:
    """One row per saved query: how it is called with its defaults, and what it answers.

    >>> queries.listed().set_index("query").loc["late_files", "parameters"]
    'days=14, more_than_minutes=60'
    """
    rows = [(query.name, ", ".join(f"{p.name}={p.default!r}" for p in query.parameters), query.about)
            for query in map(named, _names())]  # fmt: skip
    return pd.DataFrame(rows, columns=["query", "parameters", "answers"])


def named(name: str, folder: Path | None = None) -> Saved:
    """A saved query by the name of its file. Raises WrongUseError, which lists the queries.

    >>> queries.named("late_files").parameters[0].default
    14
    """
    path = (folder or FOLDER) / f"{name}.sql"
    if not name.isidentifier() or not path.is_file():
        raise WrongUseError(f"There is no saved query {name!r}: choose one of {', '.join(_names())}.")
    text = path.read_text(encoding="utf-8")
    return Saved(name, *_header(name, text), text)


def _header(name: str, text: str) -> tuple[str, tuple[Parameter, ...]]:
    """What a query answers, and its parameters: the comments above its first line of SQL."""
    about, parameters = [], []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if not line.startswith("-- :"):
            about.append(line.lstrip("- "))
        elif (found := _PARAMETER.fullmatch(line.rstrip())) and found[2] in _KINDS:
            said = Parameter(found[1], found[2], None, found[4])
            parameters.append(Parameter(found[1], found[2], said.read(found[3].strip("'")), found[4]))
        else:
            kinds = ", ".join(_KINDS)
            raise WrongUseError(f"{name}.sql: write `{line}` as `-- :NAME TYPE = DEFAULT  what it is`; types: {kinds}.")
    return " ".join(about), tuple(parameters)


def __getattr__(name: str) -> Saved:
    if name.startswith("_") or name not in _names():
        raise AttributeError(f"there is no saved query {name!r}; there are {', '.join(_names())}")
    return named(name)


def __dir__() -> list[str]:
    return sorted({"listed", "named", *_names()})


def _names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.sql"))
