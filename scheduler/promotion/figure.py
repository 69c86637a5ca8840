"""A figure as a notebook defines it: one function with its imports, and what its docstring says of each new column."""

import ast
import re
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

import nbformat

from scheduler.promotion import allowed
from t3lib.metrics.glossary import Entry
from t3lib.problems import RefusedError

TEMPLATE = """peak_share_pct: Share of the best hour
    Share of a truck's gross sales that its best local hour brings.
    Formula: gross sales of the best hour / gross sales of the truck
    Unit: percent
    Source: mart.sales_hourly"""
_COLUMN = re.compile(r"^(\w+): (.+)\n((?:[ \t]+\S.*(?:\n|$))+)", re.MULTILINE)
_LABEL = re.compile(r"\s*(Formula|Unit|Source): (.*)")
_UNITS = {"_pence": "pence", "_pct": "percent"}


@dataclass(frozen=True)
class Figure:
    """One function of a notebook.

    `source` is its text, `imports` the lines that it needs, `prose` and `examples` are parts of its docstring,
    `entries` what the docstring says of new columns, `made_of` the metrics that it calls."""

    name: str
    source: str
    imports: list[str]
    prose: str
    examples: str
    entries: list[Entry]
    made_of: list[str]

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ").capitalize()

    def with_docstring(self, docstring: str) -> str:
        """The function's text with another docstring."""
        lines = self.source.splitlines()
        old = _function(self.source).body[0]
        indented = [f"    {line}".rstrip() for line in f'"""{docstring}\n"""'.splitlines()]
        return "\n".join([*lines[: old.lineno - 1], *indented, *lines[old.end_lineno :]])


def read(notebook: Path, name: str) -> Figure:
    """The figure of this name. Raises RefusedError, which says what to change in the notebook."""
    cells = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    source = _source(notebook.name, cells, name)
    function = _function(source)
    used = allowed.used(function, source, _imports(cells))
    prose, examples, entries = _docstring(function)
    return Figure(name, source, used.imports, prose, examples, entries, used.metrics)


def _source(notebook: str, cells: list[str], name: str) -> str:
    """The text of the function in its cell."""
    found, others = [], []
    for cell in cells:
        try:
            nodes = ast.parse(cell).body
        except SyntaxError as error:
            if f"def {name}(" in cell:
                raise RefusedError(f"The cell of {name} is not valid Python (its line {error.lineno}).") from None
            continue  # a cell with a command of IPython
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        found += [ast.get_source_segment(cell, node) for node in functions if node.name == name]
        others += [node.name for node in functions if node.name != name]
        if any(node.name == name and node.decorator_list for node in functions):
            raise RefusedError(f"{name} has a decorator: write the function without it.")
    if len(found) == 1 and found[0]:
        return found[0]
    if found:
        raise RefusedError(f"{notebook} defines {name} {len(found)} times: leave one.")
    known = f"It defines {', '.join(others)}." if others else "It defines none: write `def NAME(db, scope):` in a cell."
    raise RefusedError(f"{notebook} has no function {name}. {known}")


def _function(source: str) -> ast.FunctionDef:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return function


def _imports(cells: list[str]) -> list[ast.Import | ast.ImportFrom]:
    found: list[ast.Import | ast.ImportFrom] = []
    for cell in cells:
        try:
            nodes = ast.parse(cell).body
        except SyntaxError:
            continue
        found += [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return found


def _docstring(function: ast.FunctionDef) -> tuple[str, str, list[Entry]]:
    """The prose, the examples, and the entries of new columns."""
    text = cleandoc(ast.get_docstring(function) or "")
    if not text.startswith("One row per "):
        raise RefusedError(
            f"The docstring of {function.name} does not begin with what a row is, such as `One row per truck: "
            f"truck_id, truck, ...`, and all columns."
        )
    prose, mark, examples = text.partition(">>>")
    entries = [_entry(*found.groups()) for found in _COLUMN.finditer(prose)]
    return _COLUMN.sub("", prose).strip(), f"{mark}{examples}".strip(), entries


def _entry(field: str, name: str, block: str) -> Entry:
    """The entry of a column: a definition, and lines that begin with Formula, Unit and Source."""
    parts: dict[str, list[str]] = {"Definition": []}
    for line in block.splitlines():
        label = _LABEL.match(line)
        if label:
            parts[label[1]] = [label[2]]
        else:
            parts[list(parts)[-1]].append(line.strip())
    texts = {label: " ".join(lines).strip() for label, lines in parts.items()}
    missing = [label for label in ("Definition", "Formula", "Unit", "Source") if not texts.get(label)]
    if missing:
        raise RefusedError(f"The docstring says no {', no '.join(missing)} of {field}. It is written so:\n{TEMPLATE}")
    entry = Entry(field, name.strip(), texts["Definition"], texts["Formula"], texts["Unit"], texts["Source"])
    _check(entry)
    return entry


def _check(entry: Entry) -> None:
    unit = next((unit for end, unit in _UNITS.items() if entry.field.endswith(end)), None)
    if (unit and entry.unit != unit) or (not unit and entry.unit in _UNITS.values()):
        raise RefusedError(
            f"{entry.field} is in {entry.unit}: what is in pence ends in _pence, what is in percent in _pct, no other."
        )
    if not entry.definition.endswith("."):
        raise RefusedError(f"The definition of {entry.field} is not a sentence: it has no full stop.")
