"""`t3 reproduce`: a past run, repeated under its own commit and files."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import print_json, progress, say, table

if TYPE_CHECKING:
    from scheduler.runs.reproduction import Reproduction

_RUNS = {"run_id": "run", "notebook": "notebook", "started_at": "started", "git_commit": "commit", "rows": "rows"}


def reproduce(
    run: Annotated[str, typer.Option("--run", help="Id of the run; without it, list the latest runs.")] = "",
    json: Json = False,
) -> None:
    """Repeat a past run and compare the figures.

    It runs under its own commit, on the file versions that it read, in a separate database. Exits with 1 if a figure
    differs or a file version is gone.

    Example: t3 reproduce --run 3-4f1c2a9b7d30"""
    from scheduler.cli.session import session
    from scheduler.runs import reproduction

    with session("database", "landing"), progress("Repeating the run"):
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
    same = f"Run {found.run_id} gives the same figures under {found.commit}."
    say(f"{len(found.differing)} of {len(found.then)} figures differ." if found.differing else same)


def _short(value: object) -> str:
    """A figure in a column; for a report's table, its number of lines."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if "\n" not in text else f"{len(text.splitlines()):,} lines"
