"""The kernel `t3` behaves as a plain ipykernel does, and shares nothing with its siblings."""

import asyncio
import os
from pathlib import Path
from typing import ClassVar

import jupyter_kernel_test
import nbformat
import papermill
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from scheduler import kernels
from scheduler.kernels import ownership
from scheduler.kernels.client import KernelStartError
from scheduler.queue import step_retries
from tests.support.kernel import Kernel, provisioner

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ownership.available(), reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("kernelspec"),
]


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


def test_nothing_listens_on_tcp(kernel: Kernel) -> None:
    assert psutil.Process(kernel.pid).net_connections() == []
    assert Path(kernel.manager.ip).parent.stat().st_mode & 0o777 == 0o700


def test_environment_and_folder_are_those_of_the_client(tmp_path: Path) -> None:
    # What an import may read is the same, so that it comes from the same warm process.
    imports = {name: value for name, value in os.environ.items() if name.startswith(ownership.IMPORT_VARIABLES)}
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ONLY": "this"}
    kernel = Kernel(env=imports | own, cwd=str(tmp_path))
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
    first.close()
    second.close()


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
        first = provisioner(server.get_kernel(kernel_id)).pid
        await server.restart_kernel(kernel_id)
        second = provisioner(server.get_kernel(kernel_id)).pid
        await server.shutdown_kernel(kernel_id)
        return first, second

    first, second = asyncio.run(use())
    assert first != second
    assert not psutil.pid_exists(first)
    assert not psutil.pid_exists(second)


def test_kernels_are_bounded() -> None:
    """The last one here: another limit takes another warm process."""
    spec = KernelSpecManager().get_kernel_spec("t3")
    file = Path(spec.resource_dir) / "kernel.json"
    text = file.read_text()
    file.write_text(text.replace(f'"limit": {kernels.spec.KERNELS_AT_MOST}', '"limit": 1'))
    kernel = Kernel()
    with pytest.raises(KernelStartError, match="1 kernels run already") as refused:
        Kernel()
    assert step_retries.is_temporary(refused.value)
    kernel.close()
    Kernel().close()
    file.write_text(text)


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
