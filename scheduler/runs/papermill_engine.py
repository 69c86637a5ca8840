"""papermill's engine with what T3 adds: bounded times, bounded output, and a mark where a run was cut short."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.iorw import LocalHandler, papermill_io
from papermill.log import logger as papermill_logger

from scheduler.kernels.client import LATE_OUTPUT
from scheduler.schedule import Limits
from t3lib.urls import scrubbed

NAME = "t3"
START_SECONDS = 60
NOTE_BYTES = 4096
LEAST_SECONDS = 0.05  # 0 would mean no end
SAVED_SECONDS = 2  # what a cell shows is in its copy by then
SAVING_SHARE = 0.1  # of the time: large copies are saved less often

_lock = threading.Lock()
_running: "set[_Client]" = set()


class KernelEngine(Engine):
    """Runs a notebook in a kernel with its own environment; a dead or late cell is marked as the failing one."""

    @classmethod
    def execute_notebook(cls, nb: NotebookNode, kernel_name: str, output_path: str | None = None, **given: Any) -> Any:
        copy = _Copy(nb, output_path, progress_bar=False)
        copy.notebook_start()
        try:
            cls.execute_managed_notebook(copy, kernel_name, **given)
        finally:
            copy.notebook_complete()
        return copy.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        env: dict[str, str] | None = None,
        limits: Limits | None = None,
        **_: Any,
    ) -> Any:
        client = _Client(nb_man, limits or Limits(), kernel_name=kernel_name)
        with _lock:
            _running.add(client)
        try:
            return client.execute(env=env)
        finally:
            with _lock:
                _running.discard(client)


class _Copy(NotebookExecutionManager):
    """The executed copy while it is made. papermill itself saves it at each cell's start and end, every time checked
    against the format and laid out for people, which takes 25 ms of a notebook that takes 300."""

    def save(self, **_: Any) -> None:
        """Save it as it stands, still a notebook that anything reads; papermill's last save lays it out."""
        if self.output_path:
            whole.write(json.dumps(self.nb), self.output_path)

    def cell_complete(self, cell: NotebookNode, **_: Any) -> None:
        """Note a cell's end; it is saved with the next cell's start, or the notebook's end."""
        with self._unsaved():
            super().cell_complete(cell)

    def notebook_complete(self, **_: Any) -> None:
        """Note the notebook's end; papermill saves it next, for people."""
        with self._unsaved():
            super().notebook_complete()

    @contextlib.contextmanager
    def _unsaved(self) -> Iterator[None]:
        path, self.output_path = self.output_path, None
        try:
            yield
        finally:
            self.output_path = path


class WholeFiles(LocalHandler):
    """Notebooks that are whole at any moment, also when the worker is killed while it saves one."""

    def write(self, buf: str, path: str) -> None:
        """Replace the file at once."""
        fresh = Path(path).with_name(f".{Path(path).name}.part")
        fresh.write_text(buf, encoding="utf-8")
        shared = stat.S_ISGID | stat.S_IRGRP
        if fresh.parent.stat().st_mode & shared == shared:  # its group is to read what lies in it
            fresh.chmod(0o640)
        fresh.replace(path)


def place(notebook: NotebookNode, index: int) -> int:
    """Where a cell of code stands among those, from 1 on: the number that Jupyter shows beside it."""
    return sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])


whole = WholeFiles()
papermill_engines.register(NAME, KernelEngine)
papermill_io.register("/", whole)


def running() -> int:
    """How many notebooks this process executes now."""
    return len(_running)


def stop_all(why: str) -> int:
    """Kill the kernels of this process's runs; each fails at its cell with `why`. Returns how many."""
    with _lock:
        clients = list(_running)
    return sum(client.stop(why) for client in clients)


class _Client(PapermillNotebookClient):
    """One run."""

    def __init__(self, nb_man: Any, limits: Limits, **options: Any):
        super().__init__(
            nb_man,
            startup_timeout=START_SECONDS,
            timeout_func=self._seconds_for_a_cell,
            **LATE_OUTPUT,
            log=papermill_logger,
            shutdown_kernel="immediate",
            **options,
        )
        self._limits, self._stopped = limits, ""
        self._save_later: asyncio.TimerHandle | None = None
        self._pause: float = SAVED_SECONDS
        self._left, self._until = limits.output_bytes + NOTE_BYTES, time.monotonic() + limits.run_seconds

    def __hash__(self) -> int:
        return id(self)

    def execute(self, **kwargs: Any) -> NotebookNode:
        """Run every cell in order up to the first that fails, dies or is late."""
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            reply = self.wait_for_reply(self.kc.kernel_info())
            self.nb.metadata["language_info"] = reply["content"]["language_info"]
            self._bound_streams()
            self.papermill_execute_cells()
            self.set_widgets_metadata()
        return self.nb

    def papermill_execute_cells(self) -> None:
        """papermill's loop; what the kernel cannot report itself becomes the cell's error.

        Cells of text are passed over: each would be two more saves of the copy."""
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type != "code":
                continue
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                return
            except (CellTimeoutError, DeadKernelError) as error:
                cell.outputs.append(self._mark(error))
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                return
            finally:
                cell.execution_count = place(self.nb, index)
                self._forget_saving()
                self.nb_man.cell_complete(cell)

    def process_message(self, *given: Any, **more: Any) -> Any:
        """Take what a cell shows, and save it soon, also when the cell shows nothing more for an hour."""
        shown = super().process_message(*given, **more)
        if shown is not None and self._save_later is None:
            self._save_later = asyncio.get_running_loop().call_later(self._pause, self._save)
        return shown

    def output(self, outs: list[NotebookNode], msg: Any, display_id: str, cell_index: int) -> NotebookNode | None:
        """Keep an output while there is room for it; an error always."""
        before = self._left
        if msg["msg_type"] == "error":
            msg = msg | {"content": _without_logins(msg["content"])}
        else:
            self._left -= _size(msg["content"])
        if self._left >= 0:
            return super().output(outs, msg, display_id, cell_index)
        if before >= 0:
            outs.append(new_output("stream", name="stderr", text=self._cut_short()))
        self._left = -1
        return super().output(outs, msg, display_id, cell_index) if msg["msg_type"] == "error" else None

    def stop(self, why: str) -> bool:
        """Kill the kernel; whether there was one."""
        self._stopped = why
        provisioner = getattr(self.km, "provisioner", None)
        if not provisioner or not provisioner.pgid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(provisioner.pgid, signal.SIGKILL)
        return True

    def _save(self) -> None:
        begun = time.monotonic()
        self._save_later = None
        self.nb_man.save()
        self._pause = max(SAVED_SECONDS, (time.monotonic() - begun) / SAVING_SHARE)

    def _forget_saving(self) -> None:
        if self._save_later is not None:
            self._save_later.cancel()
            self._save_later = None

    def _seconds_for_a_cell(self, cell: NotebookNode) -> float:
        return max(min(self._limits.cell_seconds, self._until - time.monotonic()), LEAST_SECONDS)

    def _bound_streams(self) -> None:
        """Cut printed text where it is made: a kernel that prints without end would fill its own memory first."""
        code = f"import t3lib.record; t3lib.record.bound_streams({self._limits.output_bytes})"
        self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False))

    def _mark(self, error: Exception) -> NotebookNode:
        """An error output for a cell that could not say itself why it ended."""
        if self._stopped:
            name, words = "RunStoppedError", self._stopped
        elif isinstance(error, DeadKernelError):
            name, words = "DeadKernelError", "The kernel died in this cell: killed from outside or out of memory."
        elif time.monotonic() >= self._until:
            name, words = "RunTimeoutError", f"The notebook took longer than {self._limits.run_seconds:g} seconds."
        else:
            name, words = "CellTimeoutError", f"The cell took longer than {self._limits.cell_seconds:g} seconds."
        return new_output("error", ename=name, evalue=words, traceback=[f"{name}: {words}"])

    def _cut_short(self) -> str:
        return f"\n[Output is cut here: the notebook showed more than {self._limits.output_bytes:,} bytes.]\n"


def _size(content: dict[str, Any]) -> int:
    """About how many bytes an output takes in the executed copy."""
    return len(content.get("text") or "") + sum(len(str(value)) for value in (content.get("data") or {}).values())


def _without_logins(error: dict[str, Any]) -> dict[str, Any]:
    lines = [scrubbed(line) for line in error["traceback"]]
    return error | {"evalue": scrubbed(error["evalue"]), "traceback": lines}
