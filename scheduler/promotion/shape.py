"""Whether a figure gives what its docstring says, on the example fleet."""

import re
from collections.abc import Iterator
from typing import Any

from scheduler.promotion.figure import TEMPLATE, Figure
from t3lib.metrics.glossary import GLOSSARY
from t3lib.problems import RefusedError

# The words after "One row per" and the column of each; a week and a month are known by their first day.
KEYS = {
    "truck": ("truck_id", "truck"),
    "place": ("location_id", "location"),
    "business day": ("business_date",),
    "local hour": ("local_hour",),
    "weekday": ("weekday",),
    "week": ("period_first",),
    "month": ("period_first",),
    "payment type": ("payment_type",),
    "menu type": ("menu_type",),
    "price": ("price_pence",),
    "part of the week": ("part_of_week",),
}
EXAMPLE = "the example fleet (tests/integration/metrics/example_fleet.py)"
_NAMES = {column for columns in KEYS.values() for column in columns}


def require(figure: Figure, given: dict[str, Any]) -> None:
    """Raise RefusedError with everything that the table does not keep of its docstring."""
    if problem := given.get("error"):
        raise RefusedError(f"{figure.name} {problem} on {EXAMPLE}.")
    problems = [*_rows(figure, given), *_columns(figure, given), *_kinds(given), *_sources(figure, given)]
    if problems:
        raise RefusedError(f"{figure.name} {'; it '.join(problems)}.")


def keys(figure: Figure, columns: list[str]) -> list[str]:
    """The columns that tell the rows apart, as the docstring says. Raises RefusedError for an unknown word."""
    said = figure.prose.split(":")[0].removeprefix("One row per ")
    words = re.split(r", | and ", re.split(r" (?:with|that|which|on|in) ", " ".join(said.split()))[0])
    found: list[str] = []
    for word in words:
        if word not in KEYS and found:
            break
        if word not in KEYS:
            raise RefusedError(f"`One row per {word}` is unknown: a row is per {', '.join(KEYS)}, or several of these.")
        found.append(next((name for name in KEYS[word] if name in columns), KEYS[word][0]))
    return found


def _rows(figure: Figure, given: dict[str, Any]) -> Iterator[str]:
    columns = given["columns"]
    told = keys(figure, columns)
    if missing := [name for name in told if name not in columns]:
        yield f"has no column {', '.join(missing)}, by which its rows differ"
        return
    seen = [tuple(row[name] for name in told) for row in given["records"]]
    if len(set(seen)) < len(seen):
        yield f"says one row per {' and '.join(told)}, but has {len(seen)} rows for {len(set(seen))} of them"
    if not seen:
        yield f"gives no row for {EXAMPLE}, so no test could say that it is right"


def _columns(figure: Figure, given: dict[str, Any]) -> Iterator[str]:
    columns = given["columns"]
    if given["columns_of_nothing"] != columns:
        yield f"has other columns on days without a sale: {', '.join(given['columns_of_nothing'])}"
    said = set(re.findall(r"\w+", figure.prose)) | {entry.field for entry in figure.entries}
    if unsaid := [name for name in columns if name not in said]:
        yield f"gives {', '.join(unsaid)}, which its docstring does not name"
    told = {entry.field for entry in figure.entries}
    if extra := sorted(told - set(columns)):
        yield f"does not give {', '.join(extra)}, which its docstring defines"
    if known := sorted(told & GLOSSARY.keys()):
        yield f"defines {', '.join(known)}, which docs/kpis.md defines already: leave that out, or name the column anew"
    if new := [name for name in columns if name not in told | _NAMES | GLOSSARY.keys()]:
        yield f"gives {', '.join(new)}, not defined in docs/kpis.md. Define it in the docstring, as in:\n{TEMPLATE}\n"
    elif not told:
        yield f"has no column of its own. Define one in the docstring, as in:\n{TEMPLATE}\n"


def _kinds(given: dict[str, Any]) -> Iterator[str]:
    for name, kind in given["kinds"].items():
        if name.endswith("_pence") and kind.lower() != "int64":
            yield f"gives {name} as {kind}: pence are whole numbers"
        if name.endswith("_pct") and kind.lower() != "float64":
            yield f"gives {name} as {kind}: percent are float64"


def _sources(figure: Figure, given: dict[str, Any]) -> Iterator[str]:
    read = set(re.findall(r"(?:mart|core|ops)\.\w+", given["sql"]))
    for entry in figure.entries:
        if wrong := [table for table in entry.source.split(", ") if table not in read]:
            yield f"names {', '.join(wrong)} as the source of {entry.field}, but reads {', '.join(sorted(read))}"
