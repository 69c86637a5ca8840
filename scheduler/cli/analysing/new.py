"""`t3 new`: a notebook to start from."""

from typing import Annotated

import typer

app = typer.Typer(help="Make a new notebook that keeps the contract: explore.", no_args_is_help=True)


@app.command("explore")
def explore(name: Annotated[str, typer.Argument(help="Name of the notebook, such as slow_mondays.")]) -> None:
    """Make notebooks/explore/NAME.ipynb, with parameters, imports, a figure and a check.

    Example: t3 new explore slow_mondays"""
    from scheduler.runs import new_notebook

    print(new_notebook.explore(name))
