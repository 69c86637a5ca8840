"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
Why = Annotated[str, typer.Option(help="The reason; it is kept with the decision.")]
By = Annotated[str, typer.Option(help="Who decides; this account by default.")]
