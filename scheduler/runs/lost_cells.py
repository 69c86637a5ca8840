"""Runs whose worker died: marks the cell that was running as failed, in the executed notebook on this machine."""

from contextlib import suppress
from pathlib import Path

import nbformat
import sqlalchemy as sa
from nbformat.v4 import new_output
from papermill.exceptions import PapermillExecutionError
from papermill.execute import raise_for_execution_errors, remove_error_markers

from scheduler.runs.executed_copy import cell_number
from t3lib import warehouse
from t3lib.settings import settings

NAME, WORDS = "WorkerLostError", "The worker died in this cell: another run repeats the work."

_LOST_RUNS = sa.text("""
    SELECT run_id, executed_copy FROM ops.run
    WHERE state = 'lost' AND failed_cell IS NULL AND executed_copy IS NOT NULL
      AND started_at > now() - interval '2 days' AND run_id <> ALL(:seen)
""")
_SET_CELL = sa.text("UPDATE ops.run SET failed_cell = :cell WHERE run_id = :run AND failed_cell IS NULL")


def mark_cells(seen: set[str]) -> None:
    """Mark the failed cell of each lost run in its copy and in ops.run; skips runs in `seen`, adds the others."""
    with warehouse.connect() as db:
        runs = db.execute(_LOST_RUNS, {"seen": sorted(seen)}).all()
    for run_id, executed in runs:
        seen.add(run_id)
        cell = mark_cell(settings().outputs / executed)
        if cell is not None:
            with warehouse.connect() as db:
                db.execute(_SET_CELL, {"cell": cell, "run": run_id})


def mark_cell(path: Path) -> int | None:
    """The number (In [1] is 1) of the cell that was running when the copy was last saved; marks it as failed.

    None when the copy is on another machine, or no cell had begun."""
    if not path.is_file():
        return None
    notebook = remove_error_markers(nbformat.read(path, as_version=4))  # those that papermill added
    for index, cell in enumerate(notebook.cells):
        status = cell.metadata.get("papermill", {}).get("status")
        if status == "running":
            cell.metadata.papermill |= {"status": "failed", "exception": True}
            cell.execution_count = cell_number(notebook, index)
            cell.outputs.append(new_output("error", ename=NAME, evalue=WORDS, traceback=[f"{NAME}: {WORDS}"]))
            with suppress(PapermillExecutionError):  # marks the cell as papermill does, and saves
                raise_for_execution_errors(notebook, str(path))
        if status in ("running", "failed"):
            return cell.execution_count
    return None
