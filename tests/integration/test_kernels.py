"""The kernel `t3` behaves as a plain ipykernel does, and shares nothing with its siblings."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import jupyter_kernel_test
import nbformat
import papermill
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from scheduler import kernels
from scheduler.kernels import folder, ownership, preload
from tests.kernel import Kernel

pytestmark = [
    pytest.mark.skipif(not ownership.available(), reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("kernelspec"),
]
ROOT = Path(__file__).parents[2]


class TestProtocol(jupyter_kernel_test.KernelTests):
    """Jupyter's own test suite for kernels."""

    kernel_name = "t3"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples: ClassVar = ["1", "print('hello')", "def f(x):\n  return x*2\n\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_page_something = "zip?"
    code_generate_error = "raise ValueError"
    code_execute_result: ClassVar = [{"code": "1+2+3", "result": "6"}]
    code_display_data: ClassVar = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"}
    ]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"


def test_kernel_is_forked_from_a_process_without_threads_and_connections(kernel: Kernel) -> None:
    warm = psutil.Process(kernel.pid).parent()
    names = [(task / "comm").read_text().strip() for task in Path(f"/proc/{warm.pid}/task").iterdir()]
    assert [name for name in names[1:] if name not in preload.FORK_SAFE_THREADS] == []
    assert warm.net_connections() == []
    assert "scheduler.kernels.parent" in warm.cmdline()


def test_what_cannot_be_forked_is_found() -> None:
    held = threading.Event()
    thread = threading.Thread(target=held.wait)
    with socket.socket() as connection:
        thread.start()
        found = preload.unforkable(ours=set())
        assert f"socket {connection.fileno()}" in found
        assert [name for name in found if name.startswith("thread")]
    held.set()
    thread.join()


def test_encryption_may_be_asked_for() -> None:
    manager = KernelManager(kernel_name="t3", transport_encryption="required")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=30)
    assert manager.curve_publickey
    client.stop_channels()
    manager.shutdown_kernel()


def test_long_folder_for_temporary_files_is_avoided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ("x" * 80)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 80)))
    monkeypatch.setattr(folder, "_folder", None)
    kernel = Kernel()
    assert kernel.run("print(1)") == "1\n"
    kernel.close()


def test_folder_of_a_dead_owner_is_removed_and_a_living_ones_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as root:
        monkeypatch.setattr(tempfile, "tempdir", root)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        monkeypatch.setattr(folder, "_folder", None)
        living, dead = folder.private_folder(), Path(root, "t3-kernels-deaddead")
        dead.mkdir()
        for path in (living, dead):
            os.utime(path, (0, 0))
        monkeypatch.setattr(folder, "_folder", None)
        assert folder.private_folder() not in (living, dead)
        assert living.exists()
        assert not dead.exists()


def test_kernels_start_plainly_when_no_warm_process_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PROGRAM", "scheduler.kernels.nothing")
    kernels.cool()
    kernel = Kernel()
    assert isinstance(kernel.manager.provisioner.process, subprocess.Popen)
    assert kernel.run("print(1)") == "1\n"
    kernel.close()
    kernels.cool()


def test_nothing_listens_on_tcp(kernel: Kernel) -> None:
    assert psutil.Process(kernel.pid).net_connections() == []
    assert Path(kernel.manager.ip).parent.stat().st_mode & 0o777 == 0o700


def test_environment_and_folder_are_those_of_the_client(tmp_path: Path) -> None:
    kernel = Kernel(env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ONLY": "this"}, cwd=str(tmp_path))
    assert kernel.run("import os; print(os.environ['ONLY'], 'T3_HOME' in os.environ, end='')") == "this False"
    assert (
        kernel.run("import subprocess; print(subprocess.check_output('echo $ONLY', shell=True).decode(), end='')")
        == "this\n"
    )
    assert kernel.run("print(os.getcwd(), end='')") == str(tmp_path)
    kernel.close()


def test_settings_are_those_of_the_kernels_environment() -> None:
    read = "from t3lib.settings import settings; print(settings().timezone, end='')"
    for zone in ("Europe/London", "Asia/Tokyo"):
        kernel = Kernel(env=os.environ | {"T3_TIMEZONE": zone})
        assert kernel.run(read) == zone
        kernel.close()


def test_two_kernels_share_nothing() -> None:
    first, second = Kernel(), Kernel()
    first.run("import os, sys, numpy; mine = 1; os.environ['MINE'] = '1'; sys.mine = numpy.mine = 1; os.chdir('/')")
    assert second.run("mine") == "NameError"
    look = (
        "import os, sys, numpy; print('MINE' in os.environ, hasattr(sys, 'mine'), hasattr(numpy, 'mine'), os.getcwd())"
    )
    assert second.run(look) == f"False False False {os.getcwd()}\n"
    draw = "import random, uuid; print(random.random(), numpy.random.random(), uuid.uuid4())"
    assert not set(first.run(draw).split()) & set(second.run(draw).split())
    first.close(), second.close()


def test_secret_of_one_kernel_is_in_no_memory_that_another_inherits() -> None:
    secret = os.urandom(16).hex()
    kernel = Kernel(env=os.environ | {"T3_DATABASE_URL": secret})
    assert kernel.run("import os; print(len(os.environ['T3_DATABASE_URL']), end='')") == "32"
    assert _remembers(kernel.pid, secret.encode())
    assert not _remembers(psutil.Process(kernel.pid).ppid(), secret.encode())
    kernel.close()


def test_interrupt_stops_the_cell_and_not_the_kernel(kernel: Kernel) -> None:
    request = kernel.client.execute("import time\nprint('asleep', flush=True)\ntime.sleep(60)", stop_on_error=False)
    while kernel.client.get_iopub_msg(timeout=10)["content"].get("text") != "asleep\n":
        continue
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=10)
    assert (reply["parent_header"]["msg_id"], reply["content"]["ename"]) == (request, "KeyboardInterrupt")
    assert kernel.run("print(1)") == "1\n"


def test_busy_kernel_is_interrupted_and_shut_down(tmp_path: Path) -> None:
    kernel = Kernel(cwd=str(tmp_path))
    kernel.client.execute("import time\ntry:\n    time.sleep(60)\nfinally:\n    open('interrupted', 'w').close()")
    while kernel.client.get_iopub_msg(timeout=10)["msg_type"] != "execute_input":
        continue
    process = kernel.manager.provisioner.process
    kernel.close()
    assert process.returncode == 0
    assert (tmp_path / "interrupted").exists()


def test_restart_gives_a_new_process_under_the_same_address(kernel: Kernel) -> None:
    before, address = kernel.pid, kernel.manager.ip
    kernel.run("mine = 1")
    kernel.client.stop_channels()
    kernel.manager.restart_kernel()
    kernel.connect()
    assert kernel.pid != before
    assert kernel.manager.ip == address
    assert kernel.run("mine") == "NameError"


def test_cell_asks_for_input(kernel: Kernel) -> None:
    kernel.client.execute("print('hello', input('name? '))", allow_stdin=True)
    assert kernel.client.get_stdin_msg(timeout=10)["content"]["prompt"] == "name? "
    kernel.client.input("Miranda")
    assert kernel.client.get_shell_msg(timeout=10)["content"]["status"] == "ok"


def test_output_of_child_processes_arrives(kernel: Kernel) -> None:
    assert "from a shell" in kernel.run("!echo from a shell")
    fork = "import os\nif os.fork() == 0:\n    print('from a fork', flush=True)\n    os._exit(0)\nos.wait();"
    assert "from a fork" in kernel.run(fork)


def test_exit_code_of_a_kernel_is_known(kernel: Kernel) -> None:
    process = kernel.manager.provisioner.process
    kernel.client.execute("import os; os._exit(3)")
    assert process.wait(10) == 3
    assert not kernel.manager.is_alive()


def test_figures_and_widgets_work_though_they_were_imported_before(kernel: Kernel) -> None:
    shown = []
    plot = "import matplotlib.pyplot as plt; plt.plot([1, 2]);"
    kernel.client.execute_interactive(plot, output_hook=lambda m: shown.extend(m["content"].get("data", {})))
    assert "image/png" in shown
    targets = "import ipywidgets; print(*get_ipython().kernel.comm_manager.targets)"
    assert "jupyter.widget.control" in kernel.run(targets)


def test_imports_of_a_first_cell_are_done_already(kernel: Kernel) -> None:
    kernel.run("import sys; before = set(sys.modules)")
    kernel.run("import pandas as pd, pyarrow as pa, sqlalchemy as sa; from t3lib import metrics, warehouse")
    assert kernel.run("print(*sorted(set(sys.modules) - before))") == "\n"


def test_shut_down_kernel_leaves_no_file_and_no_process() -> None:
    kernel = Kernel()
    address, pid, file = Path(kernel.manager.ip), kernel.pid, kernel.manager.connection_file
    assert list(address.parent.glob(f"{address.name}-*"))
    kernel.close()
    assert not list(address.parent.glob(f"{address.name}-*"))
    assert not Path(file).exists()
    assert not psutil.pid_exists(pid)


def test_kernels_are_bounded() -> None:
    spec = KernelSpecManager().get_kernel_spec("t3")
    file = Path(spec.resource_dir) / "kernel.json"
    text = file.read_text()
    file.write_text(text.replace(f'"limit": {kernels.spec.KERNELS_AT_MOST}', '"limit": 1'))
    kernel = Kernel()
    with pytest.raises(RuntimeError, match="1 kernels run already"):
        Kernel()
    kernel.close()
    Kernel().close()
    file.write_text(text)


def test_papermill_runs_a_notebook_on_it(tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import os; print(x, os.getcwd())"),
    ]
    spec = {"name": "t3", "display_name": "T3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(notebook, tmp_path / "in.ipynb")
    run = papermill.execute_notebook(
        tmp_path / "in.ipynb", None, {"x": 2}, kernel_name="t3", cwd=tmp_path, progress_bar=False
    )
    assert run.cells[-1].outputs[0].text == f"2 {tmp_path}\n"


def test_jupyter_server_starts_and_restarts_it() -> None:
    async def use() -> tuple[int, int]:
        server = AsyncMappingKernelManager()
        kernel_id = await server.start_kernel(kernel_name="t3")
        first = server.get_kernel(kernel_id).provisioner.pid
        await server.restart_kernel(kernel_id)
        second = server.get_kernel(kernel_id).provisioner.pid
        await server.shutdown_kernel(kernel_id)
        return first, second

    first, second = asyncio.run(use())
    assert first != second
    assert not psutil.pid_exists(first)
    assert not psutil.pid_exists(second)


def test_plain_kernel_serves_where_fork_is_not_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "available", lambda: False)
    kernel = Kernel()
    assert isinstance(kernel.manager.provisioner.process, subprocess.Popen)
    assert kernel.manager.transport == "ipc"
    assert kernel.run("print(1)") == "1\n"
    kernel.close()


def test_changed_code_is_used_by_the_next_kernel(tmp_path: Path) -> None:
    """In a copy of the code, as an analyst edits a rule while the scheduler runs."""
    for package in ("t3lib", "scheduler"):
        subprocess.run(["cp", "-r", ROOT / package, tmp_path], check=True)
    (tmp_path / "t3lib" / "rule.py").write_text("LIMIT = 100\n")
    script = tmp_path / "owner.py"
    script.write_text(
        "from pathlib import Path\n"
        "from jupyter_client.manager import run_kernel\n"
        "for limit in (None, 200):\n"
        "    if limit:\n"
        "        Path('t3lib/rule.py').write_text(f'LIMIT = {limit}\\n')\n"
        "    with run_kernel(kernel_name='t3') as client:\n"
        "        client.execute_interactive('import t3lib.rule; print(t3lib.rule.LIMIT)')\n"
    )
    env = os.environ | {"PYTHONPATH": str(tmp_path)}
    out = subprocess.run([sys.executable, script], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert out.stdout.split() == ["100", "200"]


def test_install_is_the_same_twice_and_keeps_other_paths(tmp_path: Path) -> None:
    folder = kernels.install(tmp_path)
    stamp = (folder / "kernel.json").stat().st_mtime_ns
    assert kernels.install(tmp_path) == folder
    assert (folder / "kernel.json").stat().st_mtime_ns == stamp
    assert json.loads((folder / "kernel.json").read_text())["argv"][0] == sys.executable
    found = kernels.environment(tmp_path, {"JUPYTER_PATH": "/elsewhere"})
    assert found == {"JUPYTER_PATH": f"{tmp_path}/jupyter:/elsewhere"}


def test_threads_that_install_at_once_do_not_disturb_one_another(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def install(home: Path) -> Path:
        start.wait()
        return kernels.install(home)

    with ThreadPoolExecutor(4) as threads:
        for number in range(100):
            folders = set(threads.map(install, [tmp_path / str(number)] * 4))
            assert [file.name for folder in folders for file in folder.iterdir()] == ["kernel.json"]


def _remembers(pid: int, secret: bytes) -> bool:
    """Whether a process has these bytes anywhere that it can write."""
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in where.split("-"))
                memory.seek(start)
                if secret in memory.read(end - start):
                    return True
    return False
