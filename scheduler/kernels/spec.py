"""The kernelspec `t3` and the variables by which Jupyter's programs find it."""

import json
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NAME = "t3"
KERNELS_AT_MOST = 128
# History in memory, as kernels that run at once would wait for locks on IPython's history file.
OPTIONS = ["--HistoryManager.hist_file=:memory:"]
# Variables by which IPython and Jupyter find their configuration.
CONFIGURING_VARIABLES = ("HOME", "XDG_", "IPYTHON", "JUPYTER_CONFIG", "JUPYTER_NO_CONFIG")


def install(home: Path) -> Path:
    """Write the kernelspec under T3_HOME unless it is there unchanged; returns its folder."""
    folder = home / "jupyter" / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_spec(), indent=1)
    file = folder / "kernel.json"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        fresh = folder / f".kernel.{uuid.uuid4().hex}.json"  # several workers and threads may write at once
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)  # atomically, as other programs read it meanwhile
    return folder


def environment(home: Path, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables with which a program finds the kernel `t3`."""
    paths = [str(home / "jupyter"), *filter(None, base.get("JUPYTER_PATH", "").split(os.pathsep))]
    return {"JUPYTER_PATH": os.pathsep.join(dict.fromkeys(paths))}


def _spec() -> dict[str, Any]:
    return {
        "argv": [
            sys.executable,
            "-Xfrozen_modules=off",
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            *OPTIONS,
        ],
        "display_name": "T3",
        "language": "python",
        "metadata": {
            "debugger": True,
            "supported_encryption": "curve",
            "kernel_provisioner": {"provisioner_name": "t3-fork", "config": {"limit": KERNELS_AT_MOST}},
        },
    }
