"""Frames too large for a look are shown page by page in the notebooks of `t3 lab`, with a search and sorting.

Only there: executed notebooks, mails and the pages have pandas' own tables, which need no script. JupyterLab serves the
script itself (scheduler/web/lab/config.py), so nothing is read from the internet and an output stays small."""

import os
from typing import Any

SCRIPT = "/static/dt_bundle.js"
IN_LAB = ("T3_LAB", "JPY_SESSION_NAME")  # set by `t3 lab`, and by JupyterLab for a notebook or console that it opened
MOST_BYTES = "2MB"  # of a frame in an output; of a larger one the first and the last rows are shown, and it is said

MOST_COLUMNS = 20


def load_ipython_extension(shell: Any) -> None:
    """Show large frames of this kernel page by page, if it belongs to a notebook of `t3 lab`."""
    if not all(name in os.environ for name in IN_LAB):
        return
    formatter = shell.display_formatter.formatters["text/html"]
    formatter.for_type_by_name("pandas", "DataFrame", html)


def html(frame: Any) -> str:
    """A frame as HTML: pandas' own table where that shows every row and column."""
    import pandas as pd

    most = pd.options.display
    if len(frame) <= most.max_rows and len(frame.columns) <= (most.max_columns or MOST_COLUMNS):
        return str(frame._repr_html_())
    import itables

    words = [place for place, kind in enumerate(frame.dtypes) if kind.kind not in "biufmM"]
    return str(
        itables.to_html_datatable(
            frame,
            dt_url=SCRIPT,
            connected=True,
            maxBytes=MOST_BYTES,
            scrollX=True,
            columnDefs=[{"className": "dt-left", "targets": words}],
            pageLength=20,
            lengthMenu=[20, 50, 100],
            display_logo_when_loading=False,
        )
    )
