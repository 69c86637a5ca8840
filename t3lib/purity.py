"""What computes without a file, the network, the environment, the clock or chance: figures and rules use nothing else.

Not a guard against bad will, since people read each commit: it finds what would give the same input another result."""

import ast
import re
from collections.abc import Iterator

MODULES = ("pandas", "numpy", "collections", "datetime", "decimal", "functools", "itertools", "math", "re",
           "statistics", "string", "typing", "unicodedata")  # fmt: skip
BUILTINS = {
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "globals",
    "hash",
    "id",
    "input",
    "locals",
    "open",
    "print",
    "vars",
    "__import__",
}
_FILES = {"ExcelFile", "ExcelWriter", "HDFStore", "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save",
          "savetxt", "savez", "savez_compressed", "to_clipboard", "to_csv", "to_excel", "to_feather", "to_hdf",
          "to_orc", "to_parquet", "to_pickle", "to_sql", "to_stata", "tofile"}  # fmt: skip
_CLOCK, _CLOCK_TEXTS = {"now", "today", "utcnow"}, ("now", "today")
_MOMENTS = {"DatetimeIndex", "Period", "Timestamp", "date_range", "datetime64", "to_datetime"}
_YEAR = re.compile(r"\d{4}")


def impure(tree: ast.AST, what: str, source: str) -> Iterator[str]:
    """What something does besides computing from its source: 'calls read_csv: a rule reads and writes no files'.

    Names and imports are left to the caller, who knows what else is allowed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (node.attr.startswith("read_") or node.attr in _FILES):
            yield f"calls {node.attr}: {what} reads and writes no files"
        elif isinstance(node, ast.Attribute) and node.attr == "random":
            yield f"uses random: {what} depends on {source}, not on chance"
        elif found := _clock(node):
            yield f"{found}: {what} depends on {source}, not on the clock"


def _clock(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and node.attr in _CLOCK:
        return f"calls {node.attr}"
    if isinstance(node, ast.Constant) and node.value in _CLOCK_TEXTS:
        return f'has the text "{node.value}", which pandas reads as the present time'
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _MOMENTS:
        for text in _texts(node.args[:1]):
            if not _YEAR.search(text):
                return f'reads a time from "{text}", which has no year'
    return ""


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    """The texts among these arguments and in lists of them, but those that are found anywhere."""
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from _texts(node.elts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in _CLOCK_TEXTS:
            yield node.value
