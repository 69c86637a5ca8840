"""`t3 dashboard`: the dashboard only."""

from scheduler.cli.options import Port


def dashboard(port: Port = 0) -> None:
    """Serve the dashboard only.

    Example: t3 dashboard --port 8866"""
    from scheduler.cli.serving.lifecycle import page

    page("dashboard", port)
