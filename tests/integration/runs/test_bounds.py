"""Runs that take too long, print too much, are killed or stopped: bounded, and the executed notebook says so."""

import os
import signal
import subprocess
import sys
import threading
import time

import nbformat
import pytest
import sqlalchemy as sa
from nbformat.v4 import new_code_cell, new_notebook

from scheduler import schedule  # fmt: skip
from scheduler.queue import takeover
from scheduler.runs import executed_copy, lost_cells, papermill_engine, runner
from scheduler.schedule import Limits
from scheduler.worker.leader import Scheduler
from t3lib import warehouse
from t3lib.settings import ROOT, settings
from tests.support.steps import change, one, until

pytestmark = pytest.mark.slow  # it starts servers

BEGIN_AND_SLEEP = """
import pathlib, time, os
next(pathlib.Path(os.environ["T3_OUTPUTS"]).glob("runs/*/*")).joinpath("begun").touch()
time.sleep(60)
"""
DIES = """
import sys
from pathlib import Path
from scheduler.runs import runner
runner.NOTEBOOKS = Path(sys.argv[1])
runner.run_notebook("9_trial", {}, worker="house-1")
"""


@pytest.fixture
def notebook(database, tmp_path, monkeypatch):
    """Runs a notebook of these cells under these limits; returns what it raised, its line of ops.run and its copy."""

    def run(*sources, **limits):
        folder = tmp_path / "notebooks"
        folder.mkdir(exist_ok=True)
        cells = [new_code_cell("x = 0", metadata={"tags": ["parameters"]}), *map(new_code_cell, sources)]
        nbformat.write(new_notebook(cells=cells), folder / "9_trial.ipynb")
        monkeypatch.setattr(runner, "NOTEBOOKS", folder)
        plan = schedule.Schedule(3, schedule.time(2), 5, 5, {}, limits=Limits(**limits))
        monkeypatch.setattr(runner.schedule, "load", lambda: plan)
        raised = None
        try:
            runner.run_notebook("9_trial", {})
        except runner.NotebookFailedError as error:
            raised = error
        with warehouse.connect() as db:
            line = db.execute(sa.text("SELECT * FROM ops.run ORDER BY started_at DESC LIMIT 1")).mappings().one()
        path = runner.settings().outputs / line["executed_copy"]
        return raised, line, path

    return run


def errors(path):
    return [output.ename for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])
            if output.output_type == "error"]  # fmt: skip


def test_a_copy_is_saved_as_each_cell_begins_before_and_after(notebook, monkeypatch):
    saved: list[str] = []
    write = executed_copy.AtomicHandler.write

    def write_and_note(self: executed_copy.AtomicHandler, buf: str, path: str) -> None:
        saved.append(buf)
        write(self, buf, path)

    monkeypatch.setattr(executed_copy.AtomicHandler, "write", write_and_note)
    raised, _, path = notebook("1", "2", "3")
    assert raised is None
    shown = [nbformat.reads(buf, 4).cells for buf in saved]
    begun = [sum(cell.metadata.papermill.status != "pending" for cell in cells) for cells in shown]
    assert begun == [0, 1, 2, 3, 4, 4]
    assert nbformat.read(path, 4).cells == shown[-1]


def test_a_killed_kernel_leaves_its_copy_with_the_failing_cell_marked(notebook):
    raised, line, path = notebook("print('done')", "import os; os.kill(os.getpid(), 9)", "print('never')")
    assert (raised.cause, raised.cell, line["state"], line["failed_cell"]) == ("DeadKernelError", 3, "failed", 3)
    assert "killed from outside or ran out of memory" in line["error"]
    assert errors(path) == ["DeadKernelError"]
    assert "done" in path.read_text()
    assert "never\\n" not in path.read_text()


def test_a_cell_that_takes_too_long_is_ended_and_named(notebook):
    raised, line, path = notebook("import time; time.sleep(60)", cell_seconds=1)
    assert (raised.cause, line["failed_cell"], errors(path)) == ("CellTimeoutError", 2, ["CellTimeoutError"])
    assert "longer than 1 seconds" in line["error"]


def test_a_notebook_has_a_time_for_all_of_its_cells(notebook):
    cells = ["import time; time.sleep(0.3)"] * 30
    raised, line, _ = notebook(*cells, run_seconds=2)
    assert raised.cause == "RunTimeoutError"
    assert 2 <= line["failed_cell"] <= len(cells)
    assert not papermill_engine.running()


def test_printing_without_end_fills_neither_memory_nor_disk(notebook):
    cell = "for _ in range(1000): print('x' * 1_000_000)"
    raised, line, path = notebook(cell, "print('after')", output_bytes=100_000)
    assert (raised, line["state"]) == (None, "succeeded")
    assert path.stat().st_size < 200_000
    assert "Printed text is cut here" in path.read_text()


def test_tables_and_pictures_without_end_are_cut_too(notebook):
    show = "from IPython.display import HTML, display\nfor _ in range(100): display(HTML('x' * 10_000))"
    raised, _, path = notebook(show, "1 / 0", output_bytes=100_000)
    assert path.stat().st_size < 200_000
    assert "Output is cut here" in path.read_text()
    assert raised.cause == "ZeroDivisionError"


def test_runs_that_are_stopped_say_why(notebook):
    def stop():
        while not list(runner.settings().outputs.glob("runs/*/*/begun")):
            time.sleep(0.05)
        papermill_engine.stop_all("The worker stopped before this cell was done.")

    thread = threading.Thread(target=stop)
    thread.start()
    raised, line, _ = notebook(BEGIN_AND_SLEEP)
    thread.join()
    assert raised.cause == "RunStoppedError"
    assert "worker stopped" in line["error"]


def test_a_killed_worker_leaves_what_was_shown_and_the_cell_is_named_afterwards(bucket, tmp_path):
    cells = ["x = 0", "print('done')", "import time; print('so far', flush=True); time.sleep(600)", "print('never')"]
    nbformat.write(new_notebook(cells=list(map(new_code_cell, cells))), tmp_path / "9_trial.ipynb")
    worker = subprocess.Popen([sys.executable, "-c", DIES, tmp_path], cwd=ROOT, start_new_session=True)
    copies = settings().outputs
    try:
        until(lambda: any("so far\\n" in copy.read_text() for copy in copies.glob("runs/*/*/9_trial.ipynb")), 60)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert takeover.mark_lost(["house-1"]) == 1
    Scheduler().tidy()
    with warehouse.connect() as db:
        line = db.execute(sa.text("SELECT state, failed_cell, executed_copy FROM ops.run")).one()
    path = settings().outputs / line.executed_copy
    assert (line.state, line.failed_cell, errors(path)) == ("lost", 3, ["WorkerLostError"])
    assert "so far\\n" in path.read_text()
    assert "encountered an exception here" in path.read_text()
    assert lost_cells.mark_cell(path) == 3  # and it is marked once


def test_a_lost_run_whose_copy_lies_elsewhere_is_looked_at_once(database):
    change("INSERT INTO ops.run (run_id, notebook, state, executed_copy) VALUES ('2-x', '2_clean', 'lost', 'runs/x')")
    seen: set[str] = set()
    lost_cells.mark_cells(seen)
    assert seen == {"2-x"}
    assert one("SELECT failed_cell FROM ops.run") is None


def test_an_end_that_was_never_written_is_recorded_by_the_next_run_of_its_workflow(notebook):
    notebook("print('done')")
    change("UPDATE ops.run SET state = 'running', finished_at = NULL, workflow_id = 'w', worker = 'house-1'")
    runner.run_notebook("9_trial", {}, workflow_id="other", worker="house-1")
    assert one("SELECT count(*) FROM ops.run WHERE state = 'running'") == 1
    runner.run_notebook("9_trial", {}, workflow_id="w", worker="house-1")
    assert one("SELECT count(*) FROM ops.run WHERE state = 'running'") == 0
    assert one("SELECT error FROM ops.run WHERE state = 'failed'") == "The database could not be reached when it ended."
