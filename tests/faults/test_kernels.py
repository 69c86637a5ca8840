"""Kernels, their warm parent and their owner are killed in every order; nothing is lost or left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from scheduler import kernels
from scheduler.kernels import ownership
from tests.support.kernel import provisioner

pytestmark = [
    pytest.mark.skipif(not ownership.available(), reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("kernelspec"),
]

OWNER = """
import sys, time, psutil
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="t3")
go = manager.ip + "-go"
client.execute(sys.argv[1].replace("GO", repr(go)))
while client.get_iopub_msg(timeout=30)["msg_type"] != "execute_input":
    pass
open(go, "w").close()
time.sleep(0.5)
kernel = manager.provisioner.pid
print(kernel, psutil.Process(kernel).ppid(), manager.ip, manager.connection_file, flush=True)
if sys.argv[2] == "stay":
    time.sleep(600)
"""
# In a process of its own: this one may have other owners of kernels as children.
COOLED = """
import psutil
from jupyter_client.manager import start_new_kernel
from scheduler import kernels
manager, client = start_new_kernel(kernel_name="t3")
assert psutil.Process().children(recursive=True)
client.stop_channels()
manager.shutdown_kernel()
kernels.cool()
print([child.cmdline() for child in psutil.Process().children(recursive=True)])
"""
# Backtracks for ever and holds the interpreter's lock: no thread of the kernel can do anything.
DEAF = """
import os, re, time
while not os.path.exists(GO):
    time.sleep(0.01)
re.match('(a+)+$', 'a' * 60 + 'b')
"""


class Owner:
    """Another process with one kernel."""

    def __init__(self, cell: str = "1", then: str = "stay") -> None:
        self.process = subprocess.Popen([sys.executable, "-c", OWNER, cell, then], stdout=subprocess.PIPE, text=True)
        kernel, parent, address, self.file = self.process.stdout.readline().split()
        self.kernel, self.parent, self.folder = int(kernel), int(parent), Path(address).parent

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def left(self) -> list[str]:
        """What is still there of it."""
        processes = [f"process {pid}" for pid in (self.kernel, self.parent) if _lives(pid)]
        return processes + [str(path) for path in (self.folder, Path(self.file)) if path.exists()]


def test_killed_kernel_is_reported_by_nbclient() -> None:
    cells = [nbformat.v4.new_code_cell("import os; os.kill(os.getpid(), 9)")]
    client = NotebookClient(nbformat.v4.new_notebook(cells=cells), kernel_name="t3", timeout=60)
    with pytest.raises(DeadKernelError):
        client.execute()


def test_killed_kernel_says_by_which_signal_and_leaves_no_socket() -> None:
    manager, client = start_new_kernel(kernel_name="t3")
    process, address = provisioner(manager).process, Path(manager.ip)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    assert not manager.is_alive()
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    assert not list(address.parent.glob(f"{address.name}*"))


def test_killed_kernel_can_be_restarted() -> None:
    manager, client = start_new_kernel(kernel_name="t3")
    os.kill(provisioner(manager).pid, signal.SIGKILL)
    client.stop_channels()
    manager.restart_kernel(now=True)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.stop_channels()
    manager.shutdown_kernel()


def test_killed_parent_is_replaced_and_its_kernels_go_on() -> None:
    manager, client = start_new_kernel(kernel_name="t3")
    parent = psutil.Process(provisioner(manager).pid).ppid()
    os.kill(parent, signal.SIGKILL)
    other, its_client = start_new_kernel(kernel_name="t3")
    assert psutil.Process(provisioner(other).pid).ppid() != parent
    replies = [c.execute_interactive("1", timeout=30)["content"]["status"] for c in (client, its_client)]
    assert replies == ["ok", "ok"]
    for manager_, client_ in ((manager, client), (other, its_client)):
        client_.stop_channels()
        manager_.shutdown_kernel()
        assert not manager_.is_alive()


def test_parent_killed_while_it_imports_is_replaced() -> None:
    kernels.cool()
    kernels.warm()
    os.kill(ownership._current.process.pid, signal.SIGKILL)
    manager, client = start_new_kernel(kernel_name="t3")
    assert client.execute_interactive("1", timeout=30)["content"]["status"] == "ok"
    client.stop_channels()
    manager.shutdown_kernel()


@pytest.mark.parametrize("cell", ["1", "import time; time.sleep(600)", DEAF], ids=["idle", "busy", "deaf"])
def test_killed_owner_takes_its_kernel_its_parent_and_their_files_along(cell: str) -> None:
    owner = Owner(cell)
    assert len(owner.left()) == 4
    owner.kill()
    _until(lambda: not owner.left(), owner.left)


def test_owner_killed_after_the_parent_takes_its_kernel_along() -> None:
    owner = Owner()
    os.kill(owner.parent, signal.SIGKILL)
    owner.kill()
    _until(lambda: not owner.left(), owner.left)


def test_owner_that_ends_without_shutting_down_leaves_nothing() -> None:
    owner = Owner(then="go")
    assert owner.process.wait(30) == 0
    owner.process.stdout.close()
    _until(lambda: not owner.left(), owner.left)


def test_cooled_owner_has_no_child_left() -> None:
    left = subprocess.run([sys.executable, "-c", COOLED], capture_output=True, text=True, timeout=60, check=True)
    assert left.stdout.strip() == "[]"


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(done: Callable[[], bool], what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what()
        time.sleep(0.02)
