"""The latest notebook runs, each with a link to its executed notebook."""

import json

import sqlalchemy as sa

from t3lib.dashboard.html.cards import Cell
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import Choices

_RUNS = sa.text("""
    SELECT count(*) OVER () AS of_all,
           run_id, state, notebook, parameters, started_at, round(seconds::numeric, 1) AS seconds, rows, git_commit,
           coalesce('In [' || failed_cell || ']: ', '') || coalesce(error, '') AS error
    FROM ops.run
    WHERE started_at >= :since AND started_at < :until AND (:every OR state = ANY(:states))
      AND (CAST(:truck AS integer) IS NULL OR EXISTS (
          SELECT FROM ops.source_file AS file
          WHERE file.batch_id = run.parameters ->> 'batch_id' AND file.truck_id = :truck))
    ORDER BY started_at DESC, run_id LIMIT :most OFFSET :skip
""")
_HEAD = ("State", "Notebook", "Parameters", "Started", "Seconds", "Rows", "Commit", "Error")


def card(db: sa.Connection, choices: Choices) -> str:
    """The latest runs of this choice."""
    found, shown = lists.read(db, _RUNS, choices, "runs")
    return cells.card("Latest notebook runs", _HEAD, map(_row, found), numbers=(4, 5),
                      nothing="No notebook ran in this choice.",
                      aside="the name opens the executed notebook" if found else "",
                      foot=lists.foot(choices, shown))  # fmt: skip


def _row(run: sa.Row) -> tuple[object, ...]:
    given = ", ".join(f"{name} {value if isinstance(value, str) else json.dumps(value)}"
                      for name, value in run.parameters.items())  # fmt: skip
    return (
        run.state, executed(run.run_id, run.notebook), cells.shorter(given, 60), run.started_at, run.seconds, run.rows,
        Cell((run.git_commit or "–")[:13], "t3-raw"), cells.shorter(run.error, 200),
    )  # fmt: skip


def executed(run_id: str, notebook: str) -> Cell:
    """A link to an executed notebook on the page's own server."""
    address = "".join(letter for letter in run_id if letter.isalnum() or letter in "-_")
    name = "".join({"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(letter, letter) for letter in notebook)
    return Cell(f'<a class="t3-choice" href="runs/{address}">{name}</a>', html=True)
