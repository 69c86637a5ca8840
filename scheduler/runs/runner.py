"""Runs one notebook with papermill in a fresh `t3` kernel and records the run in ops.run."""

import json
import os
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import papermill
import sqlalchemy as sa
from papermill.exceptions import PapermillExecutionError

from scheduler import environment, kernels, schedule
from scheduler.accounts import shared_folders
from scheduler.runs import papermill_engine, source
from t3lib import cells, record, warehouse
from t3lib.problems import explain_raised
from t3lib.settings import ROOT, settings
from t3lib.urls import scrubbed

NOTEBOOKS = ROOT / "notebooks"
# How long the end of a run waits for a database that cannot be reached; then the step is retried.
DATABASE_SECONDS = 30

# A workflow runs one notebook at a time: an earlier run still marked as running ended while the database was away.
_BEGIN = sa.text("""
    WITH unwritten AS (
        UPDATE ops.run
        SET state = 'failed', error = 'The database could not be reached when it ended.', finished_at = now(),
            seconds = extract(epoch FROM now() - started_at)
        WHERE state = 'running' AND workflow_id = :workflow_id AND worker = :worker
    )
    INSERT INTO ops.run (run_id, workflow_id, notebook, parameters, git_commit, worker, executed_copy)
    VALUES (:run_id, :workflow_id, :notebook, CAST(:parameters AS jsonb), :git_commit, :worker, :executed_copy)
""")
_END = sa.text("""
    UPDATE ops.run
    SET state = :state, rows = :rows, error = :error, failed_cell = :failed_cell, finished_at = now(),
        seconds = extract(epoch FROM now() - started_at), ruleset = (SELECT hash FROM ops.ruleset WHERE hash = :ruleset)
    WHERE run_id = :run_id AND state = 'running'  -- a lost run stays lost: another run repeats it
""")


class NotebookFailedError(Exception):
    """Cell In [`cell`] raised `cause` with the message `words`. All are plain values: the queue stores the error.

    first_words: of the cell; errors that an earlier version stored have none."""

    def __init__(self, notebook: str, cell: int, cause: str, words: str, copy: str, first_words: str = ""):
        words = scrubbed(words)
        super().__init__(notebook, cell, cause, words, copy, first_words)
        self.notebook, self.cell, self.cause, self.words, self.copy = notebook, cell, cause, words, copy
        self.first_words = first_words

    @classmethod
    def of(cls, notebook: str, error: PapermillExecutionError, copy: Path) -> "NotebookFailedError":
        """What papermill found in a cell."""
        words = scrubbed(cells.first_words(error.source))
        return cls(notebook, error.exec_count, error.ename, error.evalue, str(copy), words)

    def __str__(self) -> str:
        message = explain_raised(self.cause, self.words) or f"{self.cause}: {self.words}"
        words = f": {self.first_words}" if self.first_words else ""
        return f"{message} (cell In [{self.cell}] of {self.notebook}{words}; executed notebook {self.copy})"


@dataclass(frozen=True)
class Run:
    """One finished notebook execution."""

    run_id: str
    path: Path
    values: dict[str, Any]


def run_notebook(
    name: str,
    parameters: dict[str, Any],
    *,
    role: str = "etl",
    workflow_id: str | None = None,
    worker: str | None = None,
    edited: bool = False,
) -> Run:
    """Execute notebooks/<name>.ipynb as last committed, or with `edited` including uncommitted edits.

    The executed notebook stays under outputs/runs/<date>/<run id>/.

    Raises NotebookFailedError when a cell raises; the partial copy is kept and ops.run says which cell."""
    run_id = f"{name.split('_')[0]}-{uuid.uuid4().hex[:12]}"
    path = _folder(run_id) / f"{name}.ipynb"
    found = source.committed(NOTEBOOKS / f"{name}.ipynb", edited=edited)
    with warehouse.connect() as db:
        db.execute(_BEGIN, _begin_values(run_id, name, parameters, path, found.commit, workflow_id, worker))
    end: dict[str, Any] = dict.fromkeys(("rows", "failed_cell", "ruleset"))
    end |= {"state": "failed", "error": "The run was interrupted."}
    try:
        values = record.read(execute(found.notebook, path, parameters, kernel_environment(role)))
        end |= {"state": "succeeded", "rows": values.get("rows"), "error": None, "ruleset": values.get("rules")}
        return Run(run_id, path, values)
    except PapermillExecutionError as error:
        end |= {"error": scrubbed(f"{error.ename}: {error.evalue}"), "failed_cell": error.exec_count}
        raise NotebookFailedError.of(name, error, path) from None
    except Exception as error:
        end["error"] = scrubbed(f"{type(error).__name__}: {error}")
        raise
    finally:
        _end({"run_id": run_id, **end})


def _folder(run_id: str) -> Path:
    """A new folder for the executed notebook, which the operations page shows."""
    folder = settings().outputs / "runs" / datetime.now(settings().zone).date().isoformat() / run_id
    folder.mkdir(parents=True)
    shared_folders.let_read("operations", folder)
    return folder


def kernel_environment(role: str) -> dict[str, str]:
    """Environment of a kernel that works under a role: that role's database URL and no other's secret."""
    return environment.of(role) | kernels.environment(settings().home)


def execute(notebook: Any, path: Path, parameters: dict[str, Any], env: dict[str, str]) -> Any:
    """Execute a notebook (a path or its content) in a fresh kernel with this environment, into a copy at `path`."""
    os.environ.update(kernels.environment(settings().home))
    kernels.install(settings().home)
    return papermill.execute_notebook(
        notebook,
        path,
        parameters,
        engine_name=papermill_engine.NAME,
        kernel_name=kernels.NAME,
        progress_bar=False,
        autosave_cell_every=0,  # the engine saves it
        env=env,
        limits=schedule.load().limits,
    )


def _end(values: dict[str, Any]) -> None:
    """Record how a run ended; waits for a database that is being restarted."""
    last = time.monotonic() + DATABASE_SECONDS
    while True:
        try:
            with warehouse.connect() as db:
                db.execute(_END, values)
            return
        except sa.exc.OperationalError:
            if time.monotonic() > last:
                raise
            time.sleep(1)


def _begin_values(run_id: str, name: str, parameters: dict[str, Any], path: Path, commit: str | None,
                  workflow: str | None, worker: str | None) -> dict[str, Any]:  # fmt: skip
    return {
        "run_id": run_id,
        "workflow_id": workflow,
        "notebook": name,
        "parameters": json.dumps(parameters),
        "git_commit": commit,
        "worker": worker,
        "executed_copy": os.path.relpath(path, settings().outputs),
    }
