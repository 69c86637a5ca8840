"""What a figure may use: other metrics, pandas, and what computes without a file, a clock or the database.

Not a guard against bad will, since people read the branch: it finds what would break the promises of a metric."""

import ast
import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from t3lib import metrics, purity
from t3lib.problems import RefusedError

IN_NOTEBOOKS = {"ask", "figures", "frame", "pounds", "recent", "sql"}  # they open a connection of their own
MODULES = (*purity.MODULES, "sqlalchemy")
MOST_LINES = 30

Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Used:
    """The import lines that a figure needs, and the metrics that it calls, in the order of its text."""

    imports: list[str]
    metrics: list[str]


def used(function: ast.FunctionDef, source: str, imports: list[Import]) -> Used:
    """What a function uses. Raises RefusedError for what a figure may not use."""
    bound = {alias.asname or alias.name.split(".")[0]: (node, alias) for node in imports for alias in node.names}
    free = _free(source) - {function.name}
    given = {name: bound[name] for name in sorted(free) if name in bound}
    inner = [(node, alias) for node in ast.walk(function) if isinstance(node, Import) for alias in node.names]
    problems = [
        *_signature(function),
        *_unknown(free - given.keys()),
        *(problem for pair in [*given.values(), *inner] for problem in _module(*pair)),
        *_metrics(function),
        *_database(function, {name for name, (node, _) in given.items() if _module_of(node) == "t3lib.metrics"}),
        *purity.impure(function, "a figure", "its scope"),
    ]
    if problems:
        raise RefusedError(f"{function.name} {'; it '.join(dict.fromkeys(problems))}.")
    return Used([_line(*pair) for pair in given.values()], list(dict.fromkeys(_called(function, given))))


def _signature(function: ast.FunctionDef) -> Iterator[str]:
    arguments = function.args
    names = [argument.arg for argument in arguments.args]
    if names != ["db", "scope"] or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        yield f"takes ({', '.join(names)}): write (db: sa.Connection, scope: metrics.Scope)"
    elif not all(argument.annotation for argument in arguments.args) or not function.returns:
        yield "has no types: write (db: sa.Connection, scope: metrics.Scope) -> pd.DataFrame"
    if (function.end_lineno or 0) - function.lineno - _docstring_lines(function) > MOST_LINES:
        yield f"has more than {MOST_LINES} lines: make it of smaller metrics"


def _docstring_lines(function: ast.FunctionDef) -> int:
    first = function.body[0]
    return (first.end_lineno or 0) - first.lineno if ast.get_docstring(function) else 0


def _free(source: str) -> set[str]:
    """The names that a function takes from around it."""
    top = symtable.symtable(source, "figure", "exec")
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    tables = list(top.get_children())
    while tables:
        table = tables.pop()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        tables += table.get_children()
    return found


def _unknown(names: set[str]) -> Iterator[str]:
    for name in sorted(names):
        if name in purity.BUILTINS:
            yield f"calls {name}(): a figure only computes"
        elif not hasattr(builtins, name):
            yield f"uses `{name}`, which other cells define: compute it inside the function"


def _module_of(node: Import) -> str:
    return node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name


def _module(node: Import, alias: ast.alias) -> Iterator[str]:
    module = _module_of(node) if isinstance(node, ast.ImportFrom) else alias.name
    if module == "t3lib" and alias.name == "metrics":
        return
    if module == "t3lib.metrics":
        yield from _metric(alias.name)
    elif module.split(".")[0] not in MODULES:
        name = f"{module}.{alias.name}" if isinstance(node, ast.ImportFrom) else module
        yield f"uses {name}: a figure may use t3lib.metrics, {', '.join(MODULES)}"


def _metric(name: str) -> Iterator[str]:
    if name in IN_NOTEBOOKS:
        yield f"calls metrics.{name}, which is for notebooks: call a metric itself, such as metrics.by_truck(db, scope)"
    elif name not in metrics.__all__:
        yield f"uses metrics.{name}, which does not exist (metrics.figures() lists the breakdowns)"


def _metrics(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics":
            yield from _metric(node.attr)


def _database(function: ast.FunctionDef, from_metrics: set[str]) -> Iterator[str]:
    """The connection is only passed on to metrics: no SQL of its own, so that one scope holds for all."""
    passed = {id(part) for node in ast.walk(function) if isinstance(node, ast.Call) and _is_metric(node, from_metrics)
              for part in [*node.args, *(word.value for word in node.keywords)]}  # fmt: skip
    if any(isinstance(node, ast.Name) and node.id == "db" and id(node) not in passed for node in ast.walk(function)):
        yield "asks the database itself: db may only be passed on, as in metrics.by_truck(db, scope)"


def _is_metric(call: ast.Call, from_metrics: set[str]) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id == "metrics"
    return isinstance(function, ast.Name) and function.id in from_metrics


def _called(function: ast.FunctionDef, given: dict[str, tuple[Import, ast.alias]]) -> Iterator[str]:
    """The metrics that are functions, in the order of the text."""
    nodes = sorted((node for node in ast.walk(function) if isinstance(node, ast.Call)), key=lambda n: n.lineno)
    for node in nodes:
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            if node.func.value.id == "metrics":
                yield node.func.attr
        elif isinstance(node.func, ast.Name) and node.func.id in given:
            of, alias = given[node.func.id]
            if _module_of(of) == "t3lib.metrics":
                yield alias.name


def _line(node: Import, alias: ast.alias) -> str:
    one = ast.ImportFrom(node.module, [alias], node.level) if isinstance(node, ast.ImportFrom) else ast.Import([alias])
    return ast.unparse(one)
