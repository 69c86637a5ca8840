"""The dry run of a notebook, edits included, under the analyst's role: it loads nothing and mails nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bs4 import BeautifulSoup
from papermill.exceptions import PapermillExecutionError

from scheduler.runs import runner
from scheduler.runs.runner import NotebookFailedError
from t3lib import record
from t3lib.settings import settings

FOLDER = "dry_runs"
READS_ONLY = " -c default_transaction_read_only=on"


@dataclass(frozen=True)
class DryRun:
    """An executed notebook, the last table it shows (rows of texts, the header first) and the values it records."""

    path: Path
    table: list[list[str]]
    values: dict[str, Any]


def dry_run(notebook: Path, parameters: dict[str, Any]) -> DryRun:
    """Execute a notebook; its copy and staged files go to outputs/dry_runs/, apart from the schedule's.

    Raises NotebookFailedError when a cell raises; the partial copy is kept."""
    folder = settings().outputs / FOLDER
    now = datetime.now(settings().zone)
    path = folder / now.date().isoformat() / f"{notebook.stem}-{now:%H%M%S}-{uuid4().hex[:6]}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        executed = runner.execute(notebook, path, parameters, _environment() | {"T3_OUTPUTS": str(folder)})
    except PapermillExecutionError as error:
        raise NotebookFailedError.of(notebook.stem, error, path) from None
    return DryRun(path, _last_table(executed), record.read(executed))


def _environment() -> dict[str, str]:
    """The environment of the analyst's role, which can write only its sandbox; read-only where none is configured."""
    env = runner.kernel_environment("analyst")
    if settings().database_url_analyst is None:
        env["PGOPTIONS"] += READS_ONLY
    return env


def _last_table(executed: Any) -> list[list[str]]:
    shown = [output.data for cell in executed.cells for output in cell.get("outputs", []) if "data" in output]
    tables = [table for data in shown for table in BeautifulSoup(data.get("text/html", ""), "html.parser")("table")]
    lines = (
        [[cell.get_text(" ", strip=True) for cell in line(["th", "td"])] for line in tables[-1]("tr")] if tables else []
    )
    return [line for line in lines if any(line)]
