"""papermill's engine with what T3 adds: time limits, limited output, and an error on the cell where a run stopped."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.log import logger as papermill_logger

from scheduler.kernels.client import LATE_OUTPUT
from scheduler.runs.executed_copy import ExecutedCopy, cell_number
from scheduler.schedule import Limits
from t3lib import cells
from t3lib.urls import scrubbed

NAME = "t3"
START_SECONDS = 60
NOTE_BYTES = 4096
LEAST_SECONDS = 0.05  # nbclient takes 0 as no limit
SAVED_SECONDS = 2  # within so long an output is in the executed notebook
SAVING_SHARE = 0.1  # saving takes at most this share of the time: large copies are saved less often

_lock = threading.Lock()
_running: "set[_Client]" = set()


class KernelEngine(Engine):
    """Runs a notebook in a kernel with its own environment; a cell whose kernel died or that took too long fails."""

    @classmethod
    def execute_notebook(cls, nb: NotebookNode, kernel_name: str, output_path: str | None = None, **given: Any) -> Any:
        copy = ExecutedCopy(nb, output_path, progress_bar=False)
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


papermill_engines.register(NAME, KernelEngine)


def running() -> int:
    """How many notebooks this process executes now."""
    return len(_running)


def stop_all(why: str) -> int:
    """Kill the kernels of this process's runs; each fails at its cell with `why`. Returns how many."""
    with _lock:
        clients = list(_running)
    return sum(client.stop(why) for client in clients)


class _Client(PapermillNotebookClient):
    """Executes one notebook."""

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
        self._pending_save: asyncio.TimerHandle | None = None
        self._save_pause: float = SAVED_SECONDS
        self._bytes_left, self._deadline = limits.output_bytes + NOTE_BYTES, time.monotonic() + limits.run_seconds

    def __hash__(self) -> int:
        return id(self)

    def execute(self, **kwargs: Any) -> NotebookNode:
        """Run the cells in order up to the first that fails, takes too long, or whose kernel dies."""
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            reply = self.wait_for_reply(self.kc.kernel_info())
            self.nb.metadata["language_info"] = reply["content"]["language_info"]
            self._limit_streams()
            self.papermill_execute_cells()
            self.set_widgets_metadata()
        return self.nb

    def papermill_execute_cells(self) -> None:
        """papermill's loop; a dead kernel or a time-out, which the kernel cannot report, becomes the cell's error.

        Markdown cells are skipped: each would save the copy twice more."""
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type != "code":
                continue
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index, store_history=not cells.is_injected(cell))  # which has no number
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                return
            except (CellTimeoutError, DeadKernelError) as error:
                cell.outputs.append(self._error_output(error))
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                return
            finally:
                cell.execution_count = cell_number(self.nb, index)
                self._cancel_save()
                self.nb_man.cell_complete(cell)

    def process_message(self, *given: Any, **more: Any) -> Any:
        """Handle an output and save it soon, even if the cell shows nothing more for an hour."""
        shown = super().process_message(*given, **more)
        if shown is not None and self._pending_save is None:
            self._pending_save = asyncio.get_running_loop().call_later(self._save_pause, self._save)
        return shown

    def output(self, outs: list[NotebookNode], msg: Any, display_id: str, cell_index: int) -> NotebookNode | None:
        """Store an output while the limit allows it; always store an error."""
        before = self._bytes_left
        if msg["msg_type"] == "error":
            msg = msg | {"content": _without_passwords(msg["content"])}
        else:
            self._bytes_left -= _size(msg["content"])
        if self._bytes_left >= 0:
            return super().output(outs, msg, display_id, cell_index)
        if before >= 0:
            outs.append(new_output("stream", name="stderr", text=self._truncation_note()))
        self._bytes_left = -1
        return super().output(outs, msg, display_id, cell_index) if msg["msg_type"] == "error" else None

    def stop(self, why: str) -> bool:
        """Kill the kernel; returns whether there was one."""
        self._stopped = why
        provisioner = getattr(self.km, "provisioner", None)
        if not provisioner or not provisioner.pgid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(provisioner.pgid, signal.SIGKILL)
        return True

    def _save(self) -> None:
        begun = time.monotonic()
        self._pending_save = None
        self.nb_man.save()
        self._save_pause = max(SAVED_SECONDS, (time.monotonic() - begun) / SAVING_SHARE)

    def _cancel_save(self) -> None:
        if self._pending_save is not None:
            self._pending_save.cancel()
            self._pending_save = None

    def _seconds_for_a_cell(self, cell: NotebookNode) -> float:
        return max(min(self._limits.cell_seconds, self._deadline - time.monotonic()), LEAST_SECONDS)

    def _limit_streams(self) -> None:
        """Limit printed text inside the kernel too: a cell that prints without end would fill its memory first."""
        code = f"import t3lib.record; t3lib.record.bound_streams({self._limits.output_bytes})"
        self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False))

    def _error_output(self, error: Exception) -> NotebookNode:
        """The error output of a cell whose kernel could not report why it ended."""
        if self._stopped:
            name, words = "RunStoppedError", self._stopped
        elif isinstance(error, DeadKernelError):
            name, words = (
                "DeadKernelError",
                "The kernel died in this cell: it was killed from outside or ran out of memory.",
            )
        elif time.monotonic() >= self._deadline:
            name, words = "RunTimeoutError", f"The notebook took longer than {self._limits.run_seconds:g} seconds."
        else:
            name, words = "CellTimeoutError", f"The cell took longer than {self._limits.cell_seconds:g} seconds."
        return new_output("error", ename=name, evalue=words, traceback=[f"{name}: {words}"])

    def _truncation_note(self) -> str:
        return f"\n[Output is cut here: the notebook showed more than {self._limits.output_bytes:,} bytes.]\n"


def _size(content: dict[str, Any]) -> int:
    """About how many bytes an output takes in the executed notebook."""
    return len(content.get("text") or "") + sum(len(str(value)) for value in (content.get("data") or {}).values())


def _without_passwords(error: dict[str, Any]) -> dict[str, Any]:
    lines = [scrubbed(line) for line in error["traceback"]]
    return error | {"evalue": scrubbed(error["evalue"]), "traceback": lines}
