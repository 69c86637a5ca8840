"""`t3 up`: worker and pages."""

from contextlib import ExitStack
from typing import Annotated

import typer

from scheduler.cli.options import HealthPort, Port
from scheduler.cli.output import say


def up(
    port: Port = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Notebooks to run at a time.")] = 1,
    health_port: HealthPort = None,
) -> None:
    """Run worker, dashboard and operations page until Ctrl-C.

    Services that are not configured are replaced by the embedded ones.

    Example: t3 up --port 8866"""
    from scheduler.cli.serving.lifecycle import EVERYTHING, in_background, links, stopping
    from scheduler.cli.session import session
    from scheduler.web import processes

    with session(*EVERYTHING) as running, stopping() as stop, ExitStack() as stack:
        stack.enter_context(in_background(stop, concurrency, health_port))
        board = stack.enter_context(processes.page("dashboard", port))
        operations = stack.enter_context(processes.page("operations"))
        links(running, board, operations)
        stop.wait()
        say("Stopping.")
