"""`t3 run`: a dry run of a notebook, edits included."""

from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from scheduler.cli.options import Json
from scheduler.cli.output import lines, print_json, progress, say

if TYPE_CHECKING:
    from typer._click import Context  # what TyperCommand.parse_args takes; typer.Context is a subclass of it


class Pairs(TyperCommand):
    """A command whose option -p takes a name and a value, as papermill's does; `-p name=value` is the same."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        return super().parse_args(ctx, join_pairs(args))


def join_pairs(words: list[str]) -> list[str]:
    """The words of a command line with each `-p name value` as `-p name=value`."""
    left, found = list(words), []
    while left:
        found.append(left.pop(0))
        if found[-1] in ("-p", "--parameter") and len(left) > 1 and "=" not in left[0]:
            found.append(f"{left.pop(0)}={left.pop(0)}")
    return found


def run(
    notebook: Annotated[str, typer.Argument(help="Path of a notebook, or its name under notebooks/.")],
    parameter: Annotated[
        list[str], typer.Option("-p", "--parameter", metavar="NAME VALUE", help="Set a parameter; repeat for more.")
    ] = [],  # noqa: B006 (typer makes a new list for each call)
    json: Json = False,
) -> None:
    """Run a notebook, edits included, without changing any figure.

    It loads nothing and mails nothing: it has the analyst's rights, which are to read everything and to write files
    under outputs/dry_runs/ and tables in the schema sandbox. Prints the notebook's last table and the path of the
    executed notebook.

    Example: t3 run notebooks/2_clean.ipynb -p business_date 2026-11-05"""
    from scheduler import kernels
    from scheduler.cli.session import session
    from scheduler.runs import dry_run, parameters
    from scheduler.runs.runner import NotebookFailedError

    path = parameters.notebook(notebook)
    try:
        values = parameters.values(path, [_pair(word) for word in parameter])
    except parameters.ParameterError as error:
        raise typer.BadParameter(str(error)) from None
    with session("database", "landing", "archive"):
        kernels.warm()
        try:
            with progress(f"Running {path.name}"):
                done = dry_run.dry_run(path, values)
        except NotebookFailedError as error:
            say(f"t3: {error}")
            raise SystemExit(1) from None
    if json:
        print_json({"executed_copy": str(done.path), "values": done.values})
        return
    lines(done.table)
    for label, value in done.values.items():
        print(f"{label.replace('_', ' ')}: {value:,}" if isinstance(value, int) else f"{label}: {value}")
    print(done.path)


def _pair(word: str) -> tuple[str, str]:
    name, mark, value = word.partition("=")
    if not mark:
        raise typer.BadParameter(f"-p {name} has no value: write -p {name} VALUE.")
    return name, value
