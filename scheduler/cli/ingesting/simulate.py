"""`t3 simulate`: a made-up fleet's files."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.output import progress, say
from t3lib.money import pounds


def simulate(
    out: Annotated[str, typer.Option(help="Target: a folder, file:///folder or s3://bucket.")],
    trucks: Annotated[int, typer.Option(min=1, help="Trucks in the fleet.")] = 6,
    days: Annotated[int, typer.Option(min=1, help="Business days.")] = 56,
    end: Annotated[str, typer.Option(help="Last business day, YYYY-MM-DD; today by default.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed makes another fleet.")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="Share of faulty rows.")] = 0.076,
    settlements: Annotated[bool, typer.Option("--settlements", help="Also payouts and bank statements.")] = False,
    truth: Annotated[str, typer.Option(help="Write the totals of a correct ingest to this JSON file.")] = "",
) -> None:
    """Write the files of a made-up fleet, as the trucks do.

    Example: t3 simulate --out /tmp/bucket --trucks 6 --days 14 --truth /tmp/truth.json"""
    from t3lib.business_day import today
    from t3lib.simulate import simulate as write

    last = day_of(end, "--end") if end else today()
    os.umask(0o022)  # nothing of it is a secret, and JupyterLab may have an account of its own
    with progress("Making up a fleet") as advance:
        made = write(out, trucks=trucks, days=days, end=last, seed=seed, dirt=dirt,
                     truth=Path(truth) if truth else None, progress=advance, settlements=settlements)  # fmt: skip
    say(f"{made.files:,} files, {made.rows:,} rows; a correct ingest loads {made.accepted_rows:,} sales, "
        f"{pounds(made.accepted_pence)}, and rejects {made.rejected_rows:,} rows.")  # fmt: skip
