"""JupyterLab's configuration (`t3 lab`): T3's kernel only, warm before the first notebook opens; notebooks under
notebooks/ are saved without outputs, as they are committed. `labconfig/` switches off requests to the internet,
`labextensions/` holds the menu T3, and `executed.py` shows what it opens."""

import os
from pathlib import Path
from typing import Any

import itables

from scheduler import kernels
from scheduler.web import voila_server
from t3lib.settings import settings

HERE = Path(kernels.__file__).parents[1] / "web" / "lab"  # Jupyter reads this file without giving its path


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
    if Path(settings().home, "own").is_dir():  # an account of its own may write files here, but not replace them
        given.FileManagerMixin.use_atomic_writing = False
    given.LabApp.extra_labextensions_path = [str(HERE / "labextensions")]
    given.ServerApp.jpserver_extensions = {"scheduler.web.lab.executed": True}
    # Terminals find `t3`: a login shell, which is Jupyter's default, would replace PATH.
    given.ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL") or "sh"]}
    given.ServerApp.extra_static_paths = [str(Path(itables.__file__).with_name("html"))]  # paged tables load it
    # The dashboard, opened from the menu; its template takes Voilà's scripts from where they are served here.
    given.VoilaConfiguration.update(voila_server.LOOK | {"extension_config": {"t3": {"static": "."}}})
    os.environ["JUPYTER_PATH"] = os.pathsep.join([os.environ["JUPYTER_PATH"], str(voila_server.TEMPLATES)])
    kernels.warm()  # here, as kernels are forked from a child of this process
