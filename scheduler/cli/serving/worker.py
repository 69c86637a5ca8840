"""`t3 worker`: a worker only."""

from typing import Annotated

import typer

from scheduler.cli.options import HealthPort
from scheduler.cli.output import say


def worker(
    concurrency: Annotated[int, typer.Option(min=1, help="Notebooks to run at a time.")] = 1,
    health_port: HealthPort = None,
) -> None:
    """Take work from the queue and keep the schedule, until Ctrl-C.

    Run as many as you like; one of them keeps the schedule.

    Example: t3 worker --concurrency 2 --health-port 9464"""
    from scheduler.cli.serving.lifecycle import EVERYTHING, in_background, stopping
    from scheduler.cli.session import session

    with session(*EVERYTHING), stopping() as stop:
        say("Working. Ctrl-C stops.")
        with in_background(stop, concurrency, health_port):
            stop.wait()
        say("Stopping.")
