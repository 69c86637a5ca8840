"""JupyterLab's configuration (`t3 lab`): only the kernel of the house, warm before the first notebook opens, and a
notebook saved under notebooks/ as it would be committed, however it was run. `labconfig/` keeps it off the internet."""

import os
from pathlib import Path
from typing import Any

from scheduler import kernels
from t3lib.settings import settings


def strip(model: dict[str, Any], path: str, **_: Any) -> None:
    """Take out of what is about to be saved what a run leaves: outputs, counts, the interpreter's version, the state
    of widgets. The open page keeps it."""
    if model["type"] != "notebook" or not path.startswith("notebooks/"):
        return
    metadata = model["content"]["metadata"]
    metadata.pop("widgets", None)
    if "language_info" in metadata:
        metadata["language_info"] = {"name": metadata["language_info"].get("name", "python")}
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            cell["metadata"].pop("execution", None)


if get_config := globals().get("get_config"):  # Jupyter puts it there when it reads this file as configuration
    os.umask(0o077)
    given = get_config()
    given.ServerApp.allow_remote_access = False  # under this machine's names only, whatever else is configured
    given.ServerApp.allow_origin = given.ServerApp.allow_origin_pat = ""
    given.ContentsManager.pre_save_hook = strip
    given.KernelSpecManager.allowed_kernelspecs = {kernels.NAME}
    given.LabApp.workspaces_dir = str(settings().home / "jupyter" / "workspaces")  # another clone has its own tabs
    if Path(settings().home, "own").is_dir():  # JupyterLab has an account of its own, which may not replace files here
        given.FileManagerMixin.use_atomic_writing = False
    kernels.warm()  # in Jupyter's own process: its kernels are forked from a child of it
