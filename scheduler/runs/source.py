"""The notebooks that run, as they were last committed, and the commit of this checkout."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from t3lib.checkout import git
from t3lib.settings import ROOT, settings

CODE = ("t3lib", "scheduler", "pyproject.toml")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A notebook to run and its commit, with '+' where notebook or code differ from it; None outside a checkout."""

    notebook: Any
    commit: str | None


def committed(path: Path, root: Path = ROOT, *, edited: bool = False) -> Source:
    """A notebook as last committed, without later edits; the file itself if it is new or outside a checkout, with
    `edited`, or with T3_EDITED_NOTEBOOKS."""
    commit = git(root, "rev-parse", "--short=12", "HEAD") if path.is_relative_to(root) else None
    if commit is None:
        return Source(nbformat.read(path, 4), None)
    name = path.relative_to(root).as_posix()
    differing = set((git(root, "diff", "--name-only", "HEAD", "--", name, *CODE) or "").splitlines())
    text = None
    if name in differing and not (edited or settings().edited_notebooks):
        text = git(root, "show", f"HEAD:{name}")
        differing.discard(name)
    mark = "+" if differing else ""
    if text is None:
        return Source(nbformat.read(path, 4), commit + mark)
    _log.warning(
        "%s has uncommitted edits: it runs as committed in %s (`t3 run %s` runs it with the edits).", name, commit, name
    )
    notebook = nbformat.reads(text, 4)
    notebook.metadata["t3_source"] = f"{name} as committed in {commit}; the file in the folder differs"
    return Source(notebook, commit + mark)
