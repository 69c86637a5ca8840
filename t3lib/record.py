"""What a notebook reports of its run to the scheduler: a small table for people, the same values for programs."""

import sys
import textwrap
from collections.abc import Callable
from typing import Any

RECORD = "application/vnd.t3.run+json"


def show(**values: Any) -> None:
    """Display the values of the run (rows=..., files=...), but None, as the closing line of the executed notebook."""
    from IPython.display import display

    values = {name: value for name, value in values.items() if value is not None}
    display({RECORD: values, "text/plain": "\n".join(_line(*value) for value in values.items())}, raw=True)


def read(notebook: Any) -> dict[str, Any]:
    """The values that an executed notebook showed, the last of each name."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found |= output.get("data", {}).get(RECORD, {})
    return found


def _line(name: str, value: Any) -> str:
    """A name and its value; long texts are broken between words, below one another."""
    shown = f"{value:,}" if isinstance(value, int) else str(value)
    return textwrap.fill(f"{name.replace('_', ' '):>16}  {shown}", 96, subsequent_indent=" " * 18)


def bound_streams(most: int) -> None:
    """Let this kernel print at most so many characters: an endless loop fills neither memory nor disk."""
    from IPython import get_ipython

    left = [most]

    def bound() -> None:
        for stream in (sys.stdout, sys.stderr):
            if not hasattr(stream.write, "bounds"):
                stream.write = _bounded(stream.write, left)  # type: ignore[method-assign]  # replaced on purpose

    # For every cell again: IPython wraps the streams of each cell, and its wrapper keeps all output.
    get_ipython().events.register("pre_run_cell", lambda _: bound())


def _bounded(write: Callable[[str], Any], left: list[int]) -> Callable[[str], int]:
    def bounded(text: str) -> int:
        if left[0] > 0:
            write(text[: left[0]])
            left[0] -= len(text)
            if left[0] <= 0:
                write("\n[Printed text is cut here.]\n")
        return len(text)

    bounded.bounds = left  # type: ignore[attr-defined]  # marks it as bounded already
    return bounded
