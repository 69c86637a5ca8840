"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
File = Annotated[int, typer.Argument(help="The file's number, as `t3 rejects list` shows it.")]
Row = Annotated[int, typer.Argument(help="The row's number in that file.")]
Key = Annotated[str, typer.Argument(help="The file's key in the bucket, as `t3 files` shows it.")]
Mail = Annotated[int, typer.Argument(help="The mail's number, as `t3 mail list` shows it.")]
Truck = Annotated[int | None, typer.Option(min=1, help="Only this truck.", show_default=False)]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; by default its usual one, or a free one.",
                                   show_default=False)]  # fmt: skip
HealthPort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Loopback port for /healthz and /metrics; 0 picks a free one.")
]
Why = Annotated[str, typer.Option(help="The reason, kept with the decision.")]
By = Annotated[str, typer.Option(help="Who decides; by default this account.")]
