"""Notebooks as files: where they are, their cells, and their parameters."""

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from t3lib.business_day import day_of
from t3lib.problems import WrongUseError
from t3lib.settings import ROOT
from t3lib.warehouse.files.batches import BATCH_ID

NOTEBOOKS = ROOT / "notebooks"
TAG = "parameters"
_KINDS = {str: "text", bool: "True or False", int: "a whole number", float: "a number"}


class ParameterError(ValueError):
    """A parameter that a notebook does not have, or a value that it cannot take; the text lists the parameters."""


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell. A text named *_date or *_month holds one in ISO form, or is empty."""

    name: str
    default: Any
    about: str

    @property
    def kind(self) -> str:
        """What values it takes, in words."""
        if self.name.endswith("_date"):
            return "an ISO date such as 2026-11-05 (from 2000 to 2199), or empty"
        if self.name.endswith("_month"):
            return "a month such as 2026-11, or empty"
        if self.name == "batch_id":
            return "the id of a batch such as batch-12-0123456789ab, or empty"
        return _KINDS.get(type(self.default), f"a {type(self.default).__name__}")

    def read(self, text: str) -> Any:
        """The value of a text. Raises ValueError."""
        if isinstance(self.default, str):
            return self._read_text(text) if text else text
        value = ast.literal_eval(text)
        if isinstance(self.default, float) and type(value) is int:
            return float(value)
        if type(value) is not type(self.default):
            raise ValueError(f"{text} is no {type(self.default).__name__}")
        return value

    def _read_text(self, text: str) -> str:
        if self.name.endswith("_date"):
            return day_of(text).isoformat()
        if self.name.endswith("_month"):
            return day_of(f"{text}-01").strftime("%Y-%m")
        if self.name == "batch_id" and not BATCH_ID.fullmatch(text):
            raise ValueError(f"{text} is no batch")
        return text


def notebook(name: str) -> Path:
    """A notebook by its path, or by its name under notebooks/. Raises WrongUseError, which lists the notebooks."""
    given = Path(name)
    places = (given, NOTEBOOKS / f"{given}.ipynb", NOTEBOOKS / "explore" / f"{given}.ipynb")
    found = next((place for place in places if place.is_file() and place.suffix == ".ipynb"), None)
    if found is None:
        known = (path.relative_to(NOTEBOOKS).with_suffix("") for path in sorted(NOTEBOOKS.rglob("*.ipynb")))
        names = ", ".join(str(path) for path in known if not any(part.startswith(".") for part in path.parts))
        raise WrongUseError(f"There is no notebook {name}: choose one of {names}.")
    return found.resolve()


def tagged(cells: list[Any]) -> list[Any]:
    """The cells with the tag `parameters`."""
    return [cell for cell in cells if TAG in cell.metadata.get("tags", [])]


def parameters(path: Path) -> list[Parameter]:
    """The parameters of a notebook in the order of its cell."""
    return [found for cell in tagged(nbformat.read(path, 4).cells)[:1] for found in of_source(cell.source)]


def of_source(source: str) -> list[Parameter]:
    """The parameters of a cell: each a name, a literal, and the comment behind it. Raises ParameterError."""
    described = comments(source)
    found = []
    for statement in ast.parse(source).body:
        if (assigned := literal(statement)) is None:
            raise ParameterError(
                f"Parameter `{ast.unparse(statement)}` is not a name and a literal: derive it in a later cell."
            )
        found.append(Parameter(*assigned, described.get(last_line(statement), "")))
    return found


def literal(statement: ast.stmt) -> tuple[str, Any] | None:
    """The name and the value of a statement that assigns a literal to a name; None for any other."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return None
    try:
        return statement.targets[0].id, ast.literal_eval(statement.value)
    except ValueError:
        return None


def last_line(statement: ast.stmt) -> int:
    """The number of the line on which a statement ends."""
    return statement.end_lineno or statement.lineno


def comments(source: str) -> dict[int, str]:
    """The comment of each line that has one, by line number."""
    found = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string.lstrip("# ") for token in found if token.type == tokenize.COMMENT}


def values(path: Path, given: list[tuple[str, str]]) -> dict[str, Any]:
    """The given parameters as values, checked against the notebook's parameters cell. Raises ParameterError."""
    known = {parameter.name: parameter for parameter in parameters(path)}
    read: dict[str, Any] = {}
    for name, text in given:
        if name not in known:
            raise ParameterError(_refusal(f"{path.name} has no parameter {name}.", path))
        try:
            read[name] = known[name].read(text)
        except (ValueError, SyntaxError):
            raise ParameterError(_refusal(f"{name} is {known[name].kind}, not {text!r}.", path)) from None
    return read


def _refusal(problem: str, path: Path) -> str:
    lines = [(f"{known.name} = {known.default!r}", known.about) for known in parameters(path)]
    width = max((len(assigned) for assigned, _ in lines), default=0)
    listed = "\n".join(f"  {assigned:{width}}  {about}" for assigned, about in lines)
    return f"{problem} {path.name} takes:\n{listed}" if lines else f"{problem} It takes none."
