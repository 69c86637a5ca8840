"""How an executed notebook is saved while it runs: atomically, and unformatted until the end."""

import contextlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from papermill.engines import NotebookExecutionManager
from papermill.iorw import LocalHandler, papermill_io

from t3lib import cells


class ExecutedCopy(NotebookExecutionManager):
    """An executed notebook while it runs. papermill itself would validate and format it at the start and end of each
    cell, which takes 25 of a notebook's 300 ms."""

    output_path: str | None

    def save(self, **_: Any) -> None:
        """Save a valid notebook as compact JSON; papermill's last save formats it."""
        if self.output_path:
            atomic.write(json.dumps(self.nb), self.output_path)

    def cell_complete(self, cell: NotebookNode, **_: Any) -> None:
        """Record a cell's end; the next cell's start or the notebook's end saves it."""
        with self._unsaved():
            super().cell_complete(cell)

    def notebook_complete(self, **_: Any) -> None:
        """Record the notebook's end; papermill saves it next."""
        with self._unsaved():
            super().notebook_complete()

    @contextlib.contextmanager
    def _unsaved(self) -> Iterator[None]:
        path, self.output_path = self.output_path, None
        try:
            yield
        finally:
            self.output_path = path


class AtomicHandler(LocalHandler):
    """Writes notebooks atomically: a worker killed while saving leaves the earlier version, not half a file."""

    def write(self, buf: str, path: str) -> None:
        """Write a temporary file beside the notebook and rename it."""
        temporary = Path(path).with_name(f".{Path(path).name}.part")
        temporary.write_text(buf, encoding="utf-8")
        shared = stat.S_ISGID | stat.S_IRGRP
        if temporary.parent.stat().st_mode & shared == shared:  # members of the folder's group may read it
            temporary.chmod(0o640)
        temporary.replace(path)


def cell_number(notebook: NotebookNode, index: int) -> int:
    """The number of a code cell, as JupyterLab shows it in the notebook that was run (see `cells.code`)."""
    return cells.code({"cells": notebook.cells[: index + 1]})[-1][0]


atomic = AtomicHandler()
papermill_io.register("/", atomic)
