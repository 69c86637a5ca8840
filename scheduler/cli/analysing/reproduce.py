"""`t3 reproduce`: a past run, run again as it was."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import print_json, progress, say, table

if TYPE_CHECKING:
    from scheduler.runs.reproduction import Reproduction

_RUNS = {"run_id": "run", "notebook": "notebook", "started_at": "started", "git_commit": "commit", "rows": "rows"}


def reproduce(
    run: Annotated[str, typer.Option("--run", help="The run's id; without it the latest runs are listed.")] = "",
    json: Json = False,
) -> None:
    """Run a past run again as it was, and compare the figures.

    It runs under its commit, on the versions of the files that it saw, in a database of its own. Exit 1 when a
    figure differs or a file's version is gone.

    Example: t3 reproduce --run 3-4f1c2a9b7d30"""
    from scheduler.cli.session import session
    from scheduler.runs import reproduction

    with session("database", "landing"), progress("Running it again"):
        found = reproduction.reproduce(run) if run else reproduction.latest()
    if isinstance(found, list):
        print_json(found) if json else table(found, _RUNS, "No run has finished under a commit.")
        return
    if json:
        print_json(vars(found) | {"differing": found.differing})
    else:
        _compare(found)
    if found.differing or found.missing:
        raise SystemExit(1)


def _compare(found: "Reproduction") -> None:
    for note in [*found.notes, *(f"The bucket no longer holds the version of {key}." for key in found.missing)]:
        say(note)
    rows = [{"figure": name, "then": _short(value), "now": _short(found.now.get(name)),
             "same": "no" if name in found.differing else "yes"} for name, value in found.then.items()]  # fmt: skip
    table(rows, {name: name for name in ("figure", "then", "now", "same")}, "The run recorded no figures.")
    same = f"Run {found.run_id} gives the same figures again under {found.commit}."
    say(f"{len(found.differing)} of {len(found.then)} figures differ." if found.differing else same)


def _short(value: object) -> str:
    """A figure in a column: a table of a report is told by its size."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if "\n" not in text else f"{len(text.splitlines()):,} lines"
