"""Where kernels come from: the kernelspec, the warm process, and plain kernels where there can be none."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from scheduler import kernels
from scheduler.kernels import folder, ownership, preload
from t3lib.settings import ROOT
from tests.support.kernel import Kernel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ownership.available(), reason="kernels are forked on Linux only"),
    pytest.mark.usefixtures("kernelspec"),
]


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


def test_encryption_may_be_requested() -> None:
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


def test_kernels_start_plainly_without_a_warm_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "PROGRAM", "scheduler.kernels.nothing")
    kernels.cool()
    kernel = Kernel()
    assert isinstance(kernel.manager.provisioner.process, subprocess.Popen)
    assert kernel.run("print(1)") == "1\n"
    kernel.close()
    kernels.cool()


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
