"""The git checkout that this code lies in, where there is one."""

import os
import subprocess
from pathlib import Path

from t3lib.settings import ROOT

_NEEDS = ("PATH", "HOME", "LANG", "TMPDIR", "LD_", "SYSTEMROOT", "XDG_", "USERPROFILE")


def git(root: Path, *arguments: str) -> str | None:
    """The output of a git command; None when it fails or git is not installed."""
    # A page or JupyterLab may run under an account of its own, which does not own the checkout that it runs from.
    env = {name: text for name, text in os.environ.items() if name.startswith(_NEEDS)}
    try:
        done = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments],
            capture_output=True, text=True, check=True, timeout=10, env=env,
        )  # fmt: skip
        return done.stdout.strip("\n")
    except (OSError, subprocess.SubprocessError):
        return None


def exists(root: Path = ROOT) -> bool:
    """Whether this folder is a checkout, also when git does not answer."""
    return (root / ".git").exists()


def has(commit: str, root: Path = ROOT) -> bool:
    """Whether the checkout has a commit of this name."""
    return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}") is not None


def text_of(path: Path, commit: str = "HEAD", root: Path = ROOT) -> str | None:
    """A file as a commit has it; None where the commit has no such file, or there is no checkout."""
    if not path.is_relative_to(root):
        return None
    return git(root, "show", "--end-of-options", f"{commit}:{path.relative_to(root).as_posix()}")
