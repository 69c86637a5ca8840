"""`t3 operations`: the operations page only."""

from scheduler.cli.options import Port


def operations(port: Port = 0) -> None:
    """Serve the operations page only.

    Example: t3 operations --port 8867"""
    from scheduler.cli.serving.lifecycle import page

    page("operations", port)
