"""The cost of starting notebooks: the scheduler's runner, plain papermill, and one reused kernel.

Three trivial notebooks with the imports of ours; medians of several rounds. The runner also writes a row of ops.run
for each."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import psutil
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager, KernelManager, start_new_kernel
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

from benchmarks.measures import Measure, median, run, scratch_home, seconds
from scheduler import kernels
from scheduler.runs import runner

IMPORTS = "import pandas as pd, pyarrow as pa, sqlalchemy as sa\nfrom t3lib import metrics, warehouse"
NOTEBOOKS = 3


def measure(quick: bool) -> list[Measure]:
    """All measures, T3 against the others."""
    with scratch_home() as folder:
        kernels.install(folder)
        os.environ.update(kernels.environment(folder))
        found = _measures(folder, rounds=3 if quick else 9, plain_rounds=1 if quick else 3)
        kernels.cool()
    return found


def _measures(folder: Path, rounds: int, plain_rounds: int) -> list[Measure]:
    names = [folder / f"trivial_{i}.ipynb" for i in range(NOTEBOOKS)]
    for name in names:
        nbformat.write(_trivial(), name)
    runner.NOTEBOOKS = folder
    first = seconds(lambda: _run(names[:1]))
    ours = median(lambda: _run(names), rounds)
    plain = median(lambda: _command_line(names), plain_rounds)
    reused = _reused(names, rounds)
    page, plain_page = (_voila(folder, kernel, rounds) for kernel in (kernels.NAME, "python3"))
    memory, plain_memory = (_memory_per_kernel(kernel, 6) for kernel in (kernels.NAME, "python3"))
    three = f"{NOTEBOOKS} notebooks through the runner"
    fast = ours <= 1.0 and plain / ours >= 12
    return [
        _row(three, ours, "s", "plain papermill", plain, "at most 1.0 s and 12 times faster", fast),
        _row(three, ours, "s", "one reused kernel", reused),
        _row("first notebook of a process", first, "s", "plain papermill", plain / NOTEBOOKS),
        _row("Voilà page, not preheated", page, "s", "plain kernel", plain_page, "under 0.5 s", page < 0.5),
        _row("memory per extra kernel", memory, "MB PSS", "plain kernel", plain_memory, "under 50 MB", memory < 50),
    ]


def _trivial() -> nbformat.NotebookNode:
    cells = [
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(IMPORTS),
        nbformat.v4.new_code_cell("pd.DataFrame({'x': [x]})"),
    ]
    return _notebook(cells, kernels.NAME)


def _notebook(cells: list[nbformat.NotebookNode], kernel: str) -> nbformat.NotebookNode:
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})


def _run(names: list[Path]) -> None:
    for name in names:
        runner.run_notebook(name.stem, {"x": 2})


def _command_line(names: list[Path]) -> None:
    for name in names:
        command = [sys.executable, "-m", "papermill", "-k", "python3", "-p", "x", "2", "--no-progress-bar"]
        subprocess.run([*command, name, name.with_suffix(".out.ipynb")], check=True, capture_output=True)


def _reused(names: list[Path], rounds: int) -> float:
    """The same notebooks one after another in one kernel: the fastest way known, but notebooks are not isolated."""
    manager = AsyncKernelManager(kernel_name=kernels.NAME)

    def run_once() -> None:
        for name in names:
            client = NotebookClient(nbformat.read(name, 4), km=manager)
            client.execute()
            if client.kc is not None:
                client.kc.stop_channels()

    run_once()
    taken = median(run_once, rounds)
    run_sync(manager.shutdown_kernel)()
    return taken


def _voila(folder: Path, kernel: str, rounds: int) -> float:
    """Seconds from a request to the complete page of a dashboard with four charts, including its kernel's start."""
    chart = "EChartsRawWidget(option={'xAxis': {'data': ['a']}, 'yAxis': {}, 'series': [{'type': 'bar', 'data': [1]}]})"
    sources = [f"{IMPORTS}\nfrom ipecharts import EChartsRawWidget", *[chart] * 4]
    page = folder / f"page_{kernel}.ipynb"
    nbformat.write(_notebook([nbformat.v4.new_code_cell(source) for source in sources], kernel), page)
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "voila",
        page,
        "--no-browser",
        f"--port={urlsplit(url).port}",
        "--Voila.ip=127.0.0.1",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        _until_it_answers(url)
        taken = median(lambda: urllib.request.urlopen(url, timeout=60).read(), rounds)
        server.terminate()
    return taken


def _until_it_answers(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=60).read()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.1)
    raise SystemExit(f"no answer from {url}")


def _memory_per_kernel(kernel: str, count: int) -> float:
    """Megabytes that one more kernel adds to the total of kernels, warm parent and kernels started ahead."""
    started: list[tuple[KernelManager, BlockingKernelClient]] = []
    totals: list[float] = []
    for _ in range(count):
        manager, client = start_new_kernel(kernel_name=kernel)
        started.append((manager, client))
        client.execute_interactive(f"{IMPORTS}\npd.DataFrame({{'x': [1]}})", output_hook=lambda message: None)
        if len(started) in (1, count):
            time.sleep(2)  # until the kernels taken from those ahead are replaced
            totals.append(sum(_pss(pid) for pid in _family({_pid(manager) for manager, _ in started})))
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel()
    return (totals[1] - totals[0]) / (count - 1)


def _pid(manager: KernelManager) -> int:
    """The process of a kernel on this machine."""
    if not isinstance(manager.provisioner, LocalProvisioner) or manager.provisioner.pid is None:
        raise SystemExit("a kernel has no process")
    return manager.provisioner.pid


def _family(kernels: set[int]) -> set[int]:
    """The kernels, and the warm process that forked them with all its children."""
    started_by = [psutil.Process(pid).parent() for pid in kernels]
    parents = [process for process in started_by if process and process.pid != os.getpid()]
    return (
        kernels | {parent.pid for parent in parents} | {child.pid for parent in parents for child in parent.children()}
    )


def _pss(pid: int) -> float:
    """Proportional set size in MB: shared pages are divided among the processes that share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no Pss of process {pid}")


def _row(
    name: str, value: float, unit: str, against: str, other: float, goal: str = "", met: bool | None = None
) -> Measure:
    """One measure; `ratio` says how many times faster or smaller T3 is."""
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "against": f"{against} {other:.3g} {unit}",
        "ratio": round(other / value, 2),
        "goal": goal,
        "met": met,
    }


if __name__ == "__main__":
    run("notebook_start", __doc__, measure)
