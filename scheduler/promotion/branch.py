"""A new branch, made in a folder beside the checkout: the files that a person works on are not touched."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scheduler.embedded.home import scratch_folder
from t3lib.problems import RefusedError
from t3lib.settings import ROOT

_OF_ANOTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")  # set where a hook of git runs this


def require_free(branch: str, paths: Sequence[str]) -> None:
    """Raise RefusedError where the branch exists, or one of the files has changes that are not committed."""
    if not (ROOT / ".git").exists():
        raise RefusedError(f"{ROOT} is no git checkout: clone the repository and start again.")
    if git(ROOT, "branch", "--list", branch):
        raise RefusedError(
            f"There is a branch {branch} already: remove it (`git branch -D {branch}`), or name another (--branch)."
        )
    changed = git(ROOT, "status", "--porcelain", "--untracked-files=all", "--", *paths).splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed)
        raise RefusedError(f"{names} would be written in the branch but has changes here: commit or stash them first.")


@contextmanager
def new_branch(branch: str) -> Iterator[Path]:
    """A folder that holds the files of the last commit in `tree`, on a new branch.

    When the block raises, neither the branch nor the folder is left."""
    with scratch_folder("t3-promote-") as folder:
        git(ROOT, "worktree", "add", "--quiet", "-b", branch, str(folder / "tree"), "HEAD")
        try:
            yield folder
        except BaseException:
            git(ROOT, "worktree", "remove", "--force", str(folder / "tree"))
            git(ROOT, "branch", "--quiet", "-D", branch)
            raise
        git(ROOT, "worktree", "remove", "--force", str(folder / "tree"))


def add(tree: Path, paths: Sequence[str]) -> None:
    """Put these files into the index."""
    git(tree, "add", "--", *paths)


def commit(tree: Path, paths: Sequence[str], message: str) -> str:
    """Commit these files; the commit's short name. Hooks do not run: what they check was checked."""
    add(tree, paths)
    git(tree, "commit", "--quiet", "--no-verify", "--message", message)
    return git(tree, "rev-parse", "--short", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints. Raises RefusedError with what git says."""
    env = {name: text for name, text in os.environ.items() if name not in _OF_ANOTHER}
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, env=env)
    except OSError:
        raise RefusedError("git is not installed: install it and start again.") from None
    if done.returncode:
        raise RefusedError(f"git {arguments[0]} failed: {done.stderr.strip() or 'it says no reason'}")
    return done.stdout.rstrip("\n")
