"""The cells of a notebook that state rules, and those with the tag `examples`."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from t3lib import cells
from t3lib.cleaning.allowed import STATING
from t3lib.cleaning.rules import RuleError

EXAMPLES = "examples"  # the tag of a cell, and the method of `rules` that it calls


def stating(notebook: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The cells that call `rules.read`, `reject`, `flag` or `suggest`, with their numbers.

    Raises RuleError where a rule could be missed."""
    found = [(number, cells.source(cell)) for number, cell in cells.code(notebook)]
    for number, source in found:
        if "rules" in source:
            _must_be_python(number, source)
    return [(number, source) for number, source in found if calls(source, STATING)]


def with_examples(notebook: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The cells with the tag `examples`, with their numbers.

    Raises RuleError for one with a rule, and for an example in any other cell."""
    for number, cell in cells.code(notebook):
        source = cells.source(cell)
        is_tagged, name = EXAMPLES in cells.tags(cell), cells.named(number, source)
        if calls(source) and not is_tagged:
            raise RuleError(
                f"Examples stand in a cell with the tag `{EXAMPLES}` (JupyterLab: View, Show Right Sidebar, Property "
                f"Inspector, Cell Tags): give it to {name}."
            )
        if is_tagged and calls(source, STATING):
            raise RuleError(
                f"A cell with the tag `{EXAMPLES}` states no rules: give them a cell of their own. See {name}."
            )
        if is_tagged:
            yield number, source


def _must_be_python(number: int, source: str) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise RuleError(
            f"A rule would be missed: this is not plain Python ({error.msg}, line {error.lineno}). See "
            f"{cells.named(number, source)}."
        ) from error


@lru_cache(maxsize=1024)  # asked of every cell whenever a batch is cleaned
def calls(source: str, methods: tuple[str, ...] = (EXAMPLES,)) -> bool:
    """Whether a cell calls one of these methods of `rules`."""
    with suppress(SyntaxError):
        called = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
        return any(
            isinstance(of, ast.Attribute) and of.attr in methods and ast.unparse(of.value) == "rules" for of in called
        )
    return False


def renames(source: str) -> bool:
    """Whether a cell gives `rules` another name, under which calls are not seen."""
    names = {"rules", *(f"rules.{method}" for method in (*STATING, *(EXAMPLES,)))}
    with suppress(SyntaxError):
        assigned = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign | ast.NamedExpr))
        return any(ast.unparse(node.value) in names for node in assigned)
    return False
