"""A kernel `t3` as tests use it."""

from typing import Any

from jupyter_client.manager import KernelManager

from scheduler.kernels import ForkProvisioner


def provisioner(manager: KernelManager) -> ForkProvisioner:
    """What starts and ends the kernel of this manager."""
    assert isinstance(manager.provisioner, ForkProvisioner)
    return manager.provisioner


class Kernel:
    """One kernel `t3` and a client of it."""

    def __init__(self, **launch: object) -> None:
        self.manager: Any = KernelManager(kernel_name="t3")
        self.manager.start_kernel(**launch)
        self.connect()

    def connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> str:
        """What a cell prints, or the name of the error it raises."""
        parts = []
        self.client.execute_interactive(
            code,
            timeout=60,
            output_hook=lambda m: parts.append(m["content"].get("text", m["content"].get("ename", ""))),
        )
        return "".join(parts)

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()
