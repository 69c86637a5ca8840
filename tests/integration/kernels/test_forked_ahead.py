"""Kernels that are forked before one is requested."""

import os
from pathlib import Path

import psutil
import pytest

from scheduler.kernels import ownership
from scheduler.kernels.parent import AHEAD
from tests.support.kernel import Kernel
from tests.support.steps import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ownership.available(), reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("kernelspec"),
]


def test_each_is_used_once_and_made_up_for(kernel: Kernel) -> None:
    ahead = _ahead(kernel)
    others = [Kernel() for _ in range(AHEAD + 1)]
    used = {other.pid for other in others}
    assert len(used) == AHEAD + 1
    assert used > ahead
    assert not _ahead(kernel, *others) & ahead
    for other in others:
        other.close()


def test_they_take_other_options_and_another_configuration(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "profile_default").mkdir()
    config = tmp_path / "profile_default" / "ipython_kernel_config.py"
    config.write_text("c.IPKernelApp.exec_lines = ['configured_value = 7']")
    _ahead(kernel)
    configured = Kernel(env=os.environ | {"IPYTHONDIR": str(tmp_path)})
    chosen = Kernel(extra_arguments=["--IPKernelApp.exec_lines=chosen = 8"])
    assert configured.run("print(configured_value)") == "7\n"
    assert chosen.run("print(chosen)") == "8\n"
    for other in (configured, chosen):
        assert psutil.Process(other.pid).ppid() == psutil.Process(kernel.pid).ppid()
        other.close()


def test_one_is_forked_on_request_where_those_ahead_were_killed(kernel: Kernel) -> None:
    ahead = [psutil.Process(pid) for pid in _ahead(kernel)]
    for process in ahead:
        process.kill()
    until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in ahead))
    other = Kernel()
    assert psutil.Process(other.pid).ppid() == psutil.Process(kernel.pid).ppid()
    other.close()


def _ahead(*used: Kernel) -> set[int]:
    """The processes forked ahead beside those in use, once there are as many as there should be."""
    parent = psutil.Process(used[0].pid).parent()
    found: set[int] = set()

    def complete() -> bool:
        found.clear()
        found.update(child.pid for child in parent.children())
        found.difference_update(kernel.pid for kernel in used)
        return len(found) == AHEAD

    until(complete)
    return found
