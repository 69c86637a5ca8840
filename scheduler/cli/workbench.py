"""What analysts use: run a notebook, see what an edited rule would change."""

from typing import Annotated

import typer
from typer.core import TyperCommand

from scheduler.cli.options import Json


class Pairs(TyperCommand):
    """A command whose option -p takes a name and a value, as papermill's does; `-p name=value` is the same."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, joined(args))


def joined(words: list[str]) -> list[str]:
    """The words of a command line with each `-p name value` as `-p name=value`."""
    left, found = list(words), []
    while left:
        found.append(left.pop(0))
        if found[-1] in ("-p", "--parameter") and len(left) > 1 and "=" not in left[0]:
            found.append(f"{left.pop(0)}={left.pop(0)}")
    return found


def add(app: typer.Typer) -> None:
    """Put the commands under `t3`."""
    app.command(cls=Pairs)(run)
    app.command()(diff)
    app.command()(reproduce)


def run(
    notebook: Annotated[str, typer.Argument(help="Path of a notebook, or its name under notebooks/.")],
    parameter: Annotated[
        list[str], typer.Option("-p", "--parameter", metavar="NAME VALUE", help="Set a parameter; repeat for more.")
    ] = [],  # noqa: B006 (typer makes a new list for each call)
    json: Json = False,
) -> None:
    """Run a notebook as it stands, with checked parameters.

    It loads nothing and mails nothing: it has the analyst's rights, which are to read everything and to write files
    under outputs/rehearsals/ and the schema sandbox. Prints the last table of the executed copy and where that lies.

    Example: t3 run notebooks/2_clean.ipynb -p business_date 2026-11-05"""
    from scheduler.commands.workbench import run as run_one

    run_one(name=notebook, given=[_pair(word) for word in parameter], as_json=json)


def diff(
    days: Annotated[str, typer.Argument(help="Business day or days, DATE or DATE..DATE.")],
    json: Json = False,
) -> None:
    """Show what edited cleaning rules would change of loaded days.

    Rows that would move between loaded and rejected, by reason, and pence per day and truck, before and after.
    Nothing is changed: `t3 ingest --again` applies it.

    Example: t3 diff 2026-11-01..2026-11-07"""
    from scheduler.commands.workbench import diff as run_one

    run_one(days=days, as_json=json)


def reproduce(
    run: Annotated[str, typer.Option("--run", help="The run's id; without it the latest runs are listed.")] = "",
    json: Json = False,
) -> None:
    """Run a past run again as it was, and compare the figures.

    It runs under its commit, on the versions of the files that it saw, in a database of its own. Exit 1 when a
    figure differs or a file's version is gone.

    Example: t3 reproduce --run 3-4f1c2a9b7d30"""
    from scheduler.commands.workbench import reproduce as run_one

    run_one(run_id=run, as_json=json)


def _pair(word: str) -> tuple[str, str]:
    name, mark, value = word.partition("=")
    if not mark:
        raise typer.BadParameter(f"-p {name} has no value: write -p {name} VALUE.")
    return name, value
