"""Which cells decide each row by that row alone, as their text shows: these need not be tried on parts of a batch."""

import ast
from collections.abc import Iterator
from functools import cache

import pandas as pd

_COMPUTED = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "isna", "notna", "between", "add", "sub", "mul", "floordiv",
                       "mod", "abs", "fillna", "where", "mask", "clip"})  # fmt: skip
# Their arguments must be written out: a column given to them would bring in values of other rows.
_OF_TEXTS = frozenset({"startswith", "endswith", "contains", "fullmatch", "match", "lower", "upper", "strip", "len"})
_STATED = frozenset({"read", "reject", "flag", "suggest"})
_KNOWN = frozenset({"limit_pence", "most_pence"})
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.BitOr, ast.BitXor)
_COMPARES = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@cache
def is_row_by_row(source: str, rows: frozenset[str], moments: frozenset[str]) -> bool:
    """Whether a cell only compares and computes columns with each other and with what is written in it.

    rows, moments: the columns that there are. No means only that the text does not show it."""
    reader = _Reader({"rows": rows, "moments": moments})
    return all(reader.states(statement) for statement in ast.parse(source).body)


class _Reader:
    """Reads the statements of a cell in order; knows which of its names are written out and which are columns."""

    def __init__(self, frames: dict[str, frozenset[str]]) -> None:
        self._frames, self._written, self._columns = frames, set[str](), set[str]()

    def states(self, statement: ast.stmt) -> bool:
        """Whether this gives a name to a value or a column, or states a rule with some."""
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            known = self._written if self.is_written(statement.value) else self._columns
            if not isinstance(target, ast.Name) or not (known is self._written or self.is_column(statement.value)):
                return False
            self._written.discard(target.id)
            self._columns.discard(target.id)
            known.add(target.id)
            return target.id not in ("rules", "rows", "moments", "pd", "np")
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func) not in {f"rules.{name}" for name in _STATED}:
            return False
        is_fit = self.is_written if ast.unparse(call.func) == "rules.read" else self.is_column
        return all(is_fit(value) for value in _given(call))

    def is_written(self, node: ast.expr) -> bool:
        """Whether a value stands in the cell itself."""
        if isinstance(node, ast.Name):
            return node.id in self._written
        if isinstance(node, ast.List | ast.Tuple):
            return all(self.is_written(one) for one in node.elts)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pd.Timestamp", "pd.Timedelta"):
            return all(self.is_written(value) for value in _given(node))
        return isinstance(node, ast.Constant)

    def is_column(self, node: ast.expr) -> bool:
        """Whether a value is computed row by row."""
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, _OPERATORS) and self.is_column(node.left) and self.is_column(node.right)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Invert | ast.USub) and self.is_column(node.operand)
        if isinstance(node, ast.Compare):
            fits = len(node.ops) == 1 and isinstance(node.ops[0], _COMPARES)
            return fits and self.is_column(node.left) and self.is_column(node.comparators[0])
        if isinstance(node, ast.Call):
            return self._is_computed(node)
        is_name = isinstance(node, ast.Name) and node.id in self._columns
        return is_name or self.is_written(node) or self._is_read(node)

    def _is_computed(self, call: ast.Call) -> bool:
        function = call.func
        if ast.unparse(function) == "rules.dearest_price" or self.is_written(call):
            return all(self.is_written(value) for value in _given(call))
        if not isinstance(function, ast.Attribute):
            return False
        of = function.value
        if isinstance(of, ast.Attribute) and of.attr == "str":
            return function.attr in _OF_TEXTS and self.is_column(of.value) and all(map(self.is_written, _given(call)))
        is_fit = self.is_written if function.attr == "isin" else self.is_column
        known = function.attr in _COMPUTED or function.attr == "isin"
        return known and self.is_column(of) and all(is_fit(value) for value in _given(call))

    def _is_read(self, node: ast.expr) -> bool:
        """Whether this is a column of `rows` or `moments`, or an amount that rules know."""
        if isinstance(node, ast.Attribute):
            of, name = ast.unparse(node.value), node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return node.slice.value in self._frames.get(ast.unparse(node.value), ())
        else:
            return False
        if of == "rules":
            return name in _KNOWN
        return name in self._frames.get(of, ()) and not hasattr(pd.DataFrame, name)


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (word.value for word in call.keywords)
