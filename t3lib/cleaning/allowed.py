"""What a rule may use: its own cell, the batch row by row, pandas, numpy, and what only computes."""

import ast
from collections.abc import Iterator

import pandas as pd

from t3lib.purity import BUILTINS, MODULES, impure

WRITTEN_WITH = ("read", "reject", "flag", "suggest", "examples", "dearest_price", "rows", "moments", "limit_pence",
                "most_pence")  # fmt: skip
FRAMES = ("rows", "moments")
_IN_PLACE = ("insert", "pop", "update", "setdefault", "setflags", "fill", "itemset", "put", "resize")
STATING = ("read", "reject", "flag", "suggest")
# What rules know of a truck from the dimensions: from its menu, and from details.xlsx.
OF_MENU = frozenset({"on_menu", "hundredth_on_menu", "has_menu", "dearest_price"})
OF_DETAILS = frozenset({"in_details", "without_reader"})
_REFUSED = BUILTINS - {"print"}


def refused(source: str) -> list[str]:
    """What the cell of a rule uses that it may not, each with what to do; none where all is allowed."""
    tree = ast.parse(source)
    problems = [*_names(tree), *_imports(tree), *_attributes(tree), *impure(tree, "a rule", "the batch")]
    return list(dict.fromkeys([*problems, *_changes(tree), *_results(tree)]))


def looks_at(source: str) -> frozenset[str]:
    """The facts of dimensions that the cell of a rule may look at: all, unless `rows` is only read column by column."""
    tree, found = ast.parse(source), set()
    within = {id(part): node for node in ast.walk(tree) for part in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute) or ast.unparse(node) not in ("rules", "rows", "rules.rows"):
            continue
        name = _taken(within[id(node)])
        if name is None or (hasattr(pd.DataFrame, name) and ast.unparse(node) != "rules"):
            return OF_MENU | OF_DETAILS
        found.add(name)
    return (OF_MENU | OF_DETAILS) & found


def _taken(node: ast.AST) -> str | None:
    """What is read by name, as in `rows.pence` and `rows["pence"]`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return None


def _names(tree: ast.AST) -> Iterator[str]:
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for name in sorted({node.id for node in names} - own):
        if name in _REFUSED or name.startswith("__"):
            yield f"uses {name}: a rule only computes"


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        for module in found:
            if module.split(".")[0] not in MODULES:
                yield f"imports {module}: a rule may use {', '.join(MODULES)}"


def _attributes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "times"
        ) or (isinstance(node, ast.Attribute) and node.attr == "times"):
            yield _TIMES
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            yield f"uses {ast.unparse(node)}: names that begin with _ are not for rules"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "rules" and node.attr not in WRITTEN_WITH:
            yield f"uses rules.{node.attr}: a rule is written with rules.{', rules.'.join(WRITTEN_WITH)}"


def _changes(tree: ast.AST) -> Iterator[str]:
    """What a rule writes into the batch: no other cell would see it, or all of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if of := _frame(node):
                yield _changing(of, ast.unparse(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and (of := _frame(node.func.value)):
            is_in_place = any(word.arg == "inplace" and ast.unparse(word.value) != "False" for word in node.keywords)
            if node.func.attr in _IN_PLACE or is_in_place:
                yield _changing(of, f"{ast.unparse(node.func)}(...)")


def _changing(frame: str, how: str) -> str:
    return f"changes `{frame}` ({how}): give what you make a name of its own; rules.read says what a text means"


def _frame(node: ast.AST) -> str:
    """`rows` or `moments` where this is one of them or a part of it, such as rows["pence"] or rows.loc[0, "pence"]."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if ast.unparse(node) in ("rules.rows", "rules.moments"):
            return ast.unparse(node)
        node = node.value
    return node.id if isinstance(node, ast.Name) and node.id in FRAMES else ""


_TIMES = "asks how often a row occurs: that changes with the files of a batch; `sold` counts all sales so far"


def _results(tree: ast.AST) -> Iterator[str]:
    """What a rule shows counts the rows of the batch: it is there to be looked at."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in alone and _states(node.func):
            yield f"uses what {ast.unparse(node.func)} shows: it is there to look at; put the rule on a line alone"


def _states(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in STATING and ast.unparse(function.value) == "rules"
