"""New notebooks from templates that keep the contract."""

import re
from keyword import iskeyword
from pathlib import Path

import nbformat

from scheduler.runs.parameters import NOTEBOOKS
from t3lib.problems import WrongUseError

EXPLORE = Path(__file__).parent / "templates" / "explore.ipynb"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")


def explore(name: str, folder: Path = NOTEBOOKS / "explore") -> Path:
    """Write notebooks/explore/NAME.ipynb, with parameters, imports, an example and a check; returns its path.

    Raises WrongUseError for a name that is taken or that cannot be a file of the folder."""
    if not _NAME.fullmatch(name) or iskeyword(name):
        raise WrongUseError(
            f"{name!r} is no name of a notebook: lower case letters, digits and _, such as slow_mondays."
        )
    path = folder / f"{name}.ipynb"
    notebook = nbformat.read(EXPLORE, as_version=4)
    _, sentence = notebook.cells[0].source.split("\n", 1)
    notebook.cells[0].source = f"# {name.replace('_', ' ').capitalize()}\n{sentence}"
    for cell in notebook.cells:
        cell.id = nbformat.v4.new_code_cell().id  # two notebooks of one template are not the same cells
    try:
        with path.open("x", encoding="utf-8") as file:
            nbformat.write(notebook, file)
    except FileExistsError:
        raise WrongUseError(f"{path.name} is there already: choose another name.") from None
    return path
