"""Runs what was made: its values on the example fleet, and the project's own checks and tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from t3lib.problems import RefusedError
from t3lib.settings import ROOT

TESTS = "tests/integration/metrics"
_TAIL = 40  # lines of a failed check that are shown

Say = Callable[[str], None]


def example(folder: Path, figure: str) -> dict[str, Any]:
    """What the figure gives on the example fleet, in a database of its own."""
    for name in ("home", "bucket"):
        (folder / name).mkdir()
        (folder / name).chmod(0o711)
    own = {"T3_HOME": str(folder / "home"), "T3_LANDING_URL": (folder / "bucket").as_uri()}
    program = [sys.executable, "-m", "tests.integration.metrics.example_fleet", figure]
    done = subprocess.run(program, cwd=folder / "tree", env=_environment(folder / "tree") | own, capture_output=True,
                          text=True)  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed no error"])[-1]
        raise RefusedError(f"{figure} could not be tried on the example fleet: {last}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def tidy(tree: Path, paths: Sequence[str]) -> None:
    """Format the files as the project's own are; what cannot be mended is found by `require`."""
    for words in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        python = [path for path in paths if path.endswith(".py")]
        subprocess.run([_tool("ruff"), *words, *python], cwd=tree, capture_output=True)


def require(tree: Path, figure: str, test: str, say: Say) -> None:
    """Run `make check` on the whole branch, and the tests of the figure and of what the branch touches. Raises
    RefusedError."""
    (tree / ".venv").symlink_to(sys.prefix)  # the hooks name its programs
    pytest = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]
    commands = {"formatting, lint, types and all notebooks (make check)": whole_branch()}
    run(commands | {name: [*pytest, *paths] for name, paths in tests(figure, test).items()}, tree, say)


def whole_branch() -> list[str]:
    """The command that checks every file that git knows there, as `make check` does."""
    return [_tool("pre-commit"), "run", "--all-files", "--color", "never"]


def tests(figure: str, test: str) -> dict[str, list[str]]:
    """The tests that are run, by what they show."""
    return {
        "the figure: its test, example and columns": [
            test,
            f"{TESTS}/test_examples.py::test_the_example_of_a_function_is_true[metrics.{figure}]",
            f"{TESTS}/test_examples.py::test_the_docstring_of_a_breakdown_names_every_column[{figure}]",
            f"{TESTS}/test_frames.py::test_every_breakdown_is_tidy_with_and_without_sales[{figure}]",
        ],
        "the glossary with kpis.md, cards, imports and docs": [
            f"{TESTS}/test_kpis.py",
            "tests/integration/dashboard/test_breakdowns.py",
            "tests/unit/project/test_import_directions.py",
            "tests/unit/project/test_docs.py",
        ],
    }


def run(commands: dict[str, list[str]], tree: Path, say: Say) -> None:
    """Run commands, two at a time; `say` gets a line when one ends, and what it printed if it failed. Raises
    RefusedError, which names those that failed."""

    def done(name: str) -> bool:
        begun = time.monotonic()
        ended = subprocess.run(commands[name], cwd=tree, env=_environment(tree), capture_output=True, text=True)
        lines = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
        passed = not ended.returncode
        say(f"{'Passed' if passed else 'Failed'} after {time.monotonic() - begun:.0f} s: {name}")
        if not passed:
            say("\n".join(lines[-_TAIL:]))
        return passed

    with ThreadPoolExecutor(2) as pool:
        failed = [name for name, passed in zip(commands, pool.map(done, commands), strict=True) if not passed]
    if failed:
        raise RefusedError(
            f"The branch fails checks, as shown above: {'; '.join(failed)}. Correct that in the notebook, or in the "
            "last commit if it stands there; no branch is left."
        )


def _environment(tree: Path) -> dict[str, str]:
    """This environment without settings and without a hook's, for code of that folder."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("T3_", "GIT_DIR", "GIT_INDEX"))}
    return {"MYPY_CACHE_DIR": str(ROOT / ".mypy_cache")} | kept | {"PYTHONPATH": str(tree)}


def _tool(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise RefusedError(f"{name} is not installed, by which this checks what it makes: run `make setup`.")
    return str(path)
