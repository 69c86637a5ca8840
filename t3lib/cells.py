"""How messages name a cell of a notebook: by its number in JupyterLab once all cells are run, and its first words."""

import sys
from collections.abc import Mapping
from typing import Any

_MOST_CHARACTERS = 80


def code(notebook: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """The code cells with their numbers: 1 is In [1].

    papermill's cell of given parameters has the number of the cell above, whose place it takes: the notebook that
    people open does not have it."""
    found, number = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += not is_injected(cell)
            found.append((number, cell))
    return found


def is_injected(cell: Mapping[str, Any]) -> bool:
    """Whether papermill put a cell there, with the parameters of a run."""
    return "injected-parameters" in tags(cell)


def tags(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell."""
    return [*cell["metadata"].get("tags", [])]


def source(cell: Mapping[str, Any]) -> str:
    """The text of a cell, which a file holds as lines."""
    return "".join(cell["source"]).strip()


def named(number: int | None, text: str) -> str:
    """A cell as messages name it: `cell In [7] (rules.reject("void", ...)`; without a number by its first words."""
    return f"cell ({first_words(text)})" if number is None else f"cell In [{number}] ({first_words(text)})"


def first_words(text: str) -> str:
    """The first line of a cell, cut where it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…"


def running() -> int | None:
    """The number of the cell that a kernel runs now; None outside of a kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return None if shell is None else int(shell.execution_count)
