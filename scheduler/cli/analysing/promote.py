"""`t3 promote`: a figure of a notebook becomes a metric with a card, in a branch."""

from typing import TYPE_CHECKING, Annotated

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, progress, say

if TYPE_CHECKING:
    from scheduler.promotion import Promotion

_WHAT = {
    "metric": "the metric",
    "entry": "its definition",
    "page": "the page made of it",
    "card": "the card",
    "test": "a test",
}


def promote(
    notebook: Annotated[str, typer.Argument(help="Path of a notebook, or its name under notebooks/.")],
    figure: Annotated[str, typer.Option(help="The function of the notebook that computes it.")],
    tab: Annotated[str, typer.Option(help="The dashboard's tab: money, pack, menus, rows or data.")],
    room: Annotated[str, typer.Option(help="sales, money, demand or trust; by default where its metrics are.")] = "",
    branch: Annotated[str, typer.Option(help="The new branch; by default figure- and the name.")] = "",
    json: Json = False,
) -> None:
    """Turn a figure of a notebook into a metric, in a branch.

    The function becomes a metric as it stands; its docstring becomes the definition; it gets a card on a tab and a test
    with its values on an example. The branch is kept only if all of it passes `make check`, notebooks included, and the
    tests of figures, cards and docs. That takes about a minute, the first time two; each step is said when it ends.
    Your files are not touched.

    Example: t3 promote notebooks/explore/new_kpi.ipynb --figure best_hour --tab money"""
    from scheduler import promotion
    from scheduler.runs import parameters
    from t3lib.problems import RefusedError, WrongUseError

    try:
        with progress(f"Making and checking {figure}"):
            done = promotion.promote(parameters.notebook(notebook), figure, tab, room, branch, say)
    except RefusedError as error:
        say(f"t3: {error}")
        raise SystemExit(2 if isinstance(error, WrongUseError) else 1) from None
    if json:
        print_json(vars(done))
    else:
        _show(done)


def _show(done: "Promotion") -> None:
    lines = [f"Made in the branch {done.branch}, commit {done.commit}:"]
    lines += [f"  {_WHAT[what]:20} {path}" for what, path in done.made.items()]
    lines += [
        f"The room is {done.made['metric'].split('/')[2]}: {done.why}. A module of its own keeps branches apart.",
        "Checked: the whole branch by make check; the example, the test, the glossary, the card, imports and docs.",
        "",
        f"Read it:     git diff HEAD...{done.branch}",
        f"Take it on:  git merge {done.branch}",
        f"See it:      t3 dashboard, tab {done.tab}",
        f'Then in the notebook, in place of the cell: metrics.frame("{done.figure}", scope)',
    ]
    out().print("\n".join(lines), soft_wrap=True, markup=False)
