"""Parked batches and failed reports, each with a link that runs it again."""

from dataclasses import replace

import sqlalchemy as sa

from t3lib.dashboard.html.cards import Cell
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.cards.runs import executed
from t3lib.dashboard.operations.cards.work import named, report
from t3lib.dashboard.operations.choices import Choices

MOST = 6
_BATCHES = sa.text("""
    SELECT count(*) OVER () AS of_all, batch.batch_id, files, attempt, coalesce(batch.finished_at, created_at) AS at,
           batch.error, run.run_id, run.notebook,
           (SELECT min(key) FROM ops.source_file AS file WHERE file.batch_id = batch.batch_id) AS key
    FROM ops.batch
    LEFT JOIN LATERAL (
        SELECT run_id, notebook FROM ops.run
        WHERE parameters ->> 'batch_id' = batch.batch_id AND state IN ('failed', 'lost')
        ORDER BY started_at DESC LIMIT 1
    ) AS run ON true
    WHERE batch.state = 'failed'
      AND (CAST(:truck AS integer) IS NULL AND CAST(:day AS date) IS NULL OR EXISTS (
          SELECT FROM ops.source_file AS file
          WHERE file.batch_id = batch.batch_id AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck)
            AND (CAST(:day AS date) IS NULL OR batch_date = :day)))
    ORDER BY at DESC, batch.batch_id LIMIT :most OFFSET :skip
""")
_REPORTS = sa.text("""
    SELECT DISTINCT ON (parameters ->> 'business_date', parameters ->> 'edition')
           CAST(parameters ->> 'business_date' AS date) AS day, parameters ->> 'edition' AS edition, state, run_id,
           notebook, started_at AS at, coalesce(error, 'The worker died during this run.') AS error
    FROM ops.run
    WHERE notebook = '4_report' AND parameters ? 'edition' AND CAST(:truck AS integer) IS NULL
      AND CASE WHEN CAST(:day AS date) IS NULL THEN started_at >= :since
               ELSE parameters ->> 'business_date' = CAST(:day AS text) END
      AND parameters ->> 'business_date' ~ '^\\d{4}-\\d\\d-\\d\\d$'
    ORDER BY parameters ->> 'business_date', parameters ->> 'edition', started_at DESC
""")
_HEAD = ("State", "What", "When", "Notebook", "Error", "")


def card(db: sa.Connection, choices: Choices) -> str:
    """The newest failures of this choice, each with its error, the executed notebook and a link that runs it again.

    A parked batch waits for a person, so it is listed whatever its day; only a single day or a truck filters them."""
    batches, shown = lists.read(db, _BATCHES, choices, "failed", MOST, day=choices.day)
    rows = [
        _row(choices, "failed", named(row.files, row.key, f", attempt {row.attempt}"), row, {"batch": row.batch_id})
        for row in batches
    ]
    if shown.number == 1:
        rows += _reports(db, choices)
    catch_up = cells.link(replace(choices, do="backfill", about=()), "Catch up on days")
    aside = "" if shown.complete else f"for all {shown.count:,} batches: {catch_up}"
    foot = lists.foot(choices, shown)
    return cells.card("Failed", _HEAD, rows, nothing="Nothing failed in this choice.", aside=aside, foot=foot)


def _reports(db: sa.Connection, choices: Choices) -> list[tuple[object, ...]]:
    """Reports whose latest run failed; at most one for each day and edition."""
    return [
        _row(choices, row.state, report(row.edition, row.day), row, {"day": row.day, "edition": row.edition})
        for row in db.execute(_REPORTS, choices.bound | {"day": choices.day})
        if row.state in ("failed", "lost")
    ]


def _row(choices: Choices, state: str, what: Cell | str, row: sa.Row, about: dict[str, object]) -> tuple[object, ...]:
    notebook = executed(row.run_id, row.notebook) if row.run_id else Cell("")
    error = (row.error or "").split(" (cell ")[0]  # the executed notebook shows the cell
    return (
        state,
        what,
        row.at,
        notebook,
        cells.shorter(error, 140),
        cells.request_links(choices, ("rerun", "Run again", about)),
    )
