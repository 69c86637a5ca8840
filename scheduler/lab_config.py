"""JupyterLab's configuration (`t3 lab`): a notebook saved under notebooks/ holds no outputs, however it was run."""

from typing import Any


def strip_outputs(model: dict[str, Any], path: str, **_: Any) -> None:
    """Take outputs and counts out of what is about to be saved; the open page keeps them."""
    if model["type"] != "notebook" or not path.startswith("notebooks/"):
        return
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            cell["metadata"].pop("execution", None)


if "get_config" in globals():  # Jupyter reads this file as configuration and gives it that function
    get_config().ContentsManager.pre_save_hook = strip_outputs  # noqa: F821
