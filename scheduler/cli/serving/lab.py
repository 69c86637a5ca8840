"""`t3 lab`: JupyterLab only."""

from scheduler.cli.options import Port
from scheduler.cli.output import open_in_browser, out, say


def lab(port: Port = 0) -> None:
    """Open JupyterLab on the notebooks, connected to the database.

    Example: t3 lab"""
    from scheduler.cli.serving.lifecycle import stopping
    from scheduler.cli.session import session
    from scheduler.web import processes

    with session("database", "landing", "archive"), stopping() as stop, processes.lab(port) as page:
        out().print(page.url, soft_wrap=True)
        say("Notebooks have the analyst's rights: they read all and write only the schema sandbox. Ctrl-C stops.")
        open_in_browser(page.url)
        stop.wait()
