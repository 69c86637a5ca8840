"""The notebooks that run, as they were last committed, and the commit of this checkout."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from t3lib.checkout import exists, git
from t3lib.problems import ServiceError
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
        if path.is_relative_to(root) and exists(root) and not (edited or settings().edited_notebooks):
            raise _no_answer(path)
        return Source(nbformat.read(path, 4), None)
    name = path.relative_to(root).as_posix()
    found = git(root, "diff", "--name-only", "HEAD", "--", name, *CODE)
    if found is None:
        raise _no_answer(path)
    differing, text = set(found.splitlines()), None
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


def _no_answer(path: Path) -> ServiceError:
    return ServiceError(f"git does not say what is committed of {path.name}: look at `git status` in the folder of T3.")
