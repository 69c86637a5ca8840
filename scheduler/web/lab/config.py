"""JupyterLab's configuration (`t3 lab`): T3's kernel only, warm before the first notebook opens; notebooks under
notebooks/ are saved without outputs, as they are committed. `labconfig/` switches off requests to the internet."""

import os
from pathlib import Path
from typing import Any

from scheduler import kernels
from t3lib.settings import settings


def strip(model: dict[str, Any], path: str, **_: Any) -> None:
    """Before a save, remove outputs, execution counts, the interpreter's version and widget state from the file; the
    open notebook still shows them."""
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
    given.ServerApp.allow_remote_access = False  # answer to this machine's names only, whatever else is configured
    given.ServerApp.allow_origin = given.ServerApp.allow_origin_pat = ""
    given.ContentsManager.pre_save_hook = strip
    given.KernelSpecManager.allowed_kernelspecs = {kernels.NAME}
    given.LabApp.workspaces_dir = str(settings().home / "jupyter" / "workspaces")  # each clone has its own open tabs
    if Path(
        settings().home, "own"
    ).is_dir():  # JupyterLab has an account of its own, which may write files here but not replace them
        given.FileManagerMixin.use_atomic_writing = False
    kernels.warm()  # here, as kernels are forked from a child of this process
