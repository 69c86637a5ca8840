"""Work in progress: batches and reports that are running or waiting."""

from collections import defaultdict
from datetime import date, timedelta
from html import escape

import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.dashboard import formatting
from t3lib.dashboard.html.cards import Cell
from t3lib.dashboard.operations import cells
from t3lib.dashboard.operations.choices import Choices
from t3lib.metrics import Scope

MOST = 6
_OPEN = sa.text("""
    SELECT count(*) OVER () AS batches, cause, files, attempt, created_at, run.notebook, run.worker, run.started_at,
           (SELECT min(key) FROM ops.source_file AS file WHERE file.batch_id = batch.batch_id) AS key
    FROM ops.batch
    LEFT JOIN LATERAL (
        SELECT notebook, worker, started_at FROM ops.run
        WHERE parameters ->> 'batch_id' = batch.batch_id AND state = 'running'
        ORDER BY started_at DESC LIMIT 1
    ) AS run ON true
    WHERE batch.state = 'open'
    ORDER BY run.started_at IS NULL, created_at LIMIT :most
""")
_REPORTS = sa.text("""
    SELECT CAST(parameters ->> 'business_date' AS date) AS day, parameters ->> 'edition' AS edition, worker, started_at
    FROM ops.run
    WHERE notebook = '4_report' AND state = 'running' AND started_at > now() - interval '2 days'
      AND parameters ->> 'business_date' ~ '^\\d{4}-\\d\\d-\\d\\d$'
""")
_UNCLAIMED = sa.text("SELECT count(*) FROM ops.source_file WHERE state = 'new' AND batch_id IS NULL")
# A daily report is expected if its edition was sent within the two weeks before.
_DUE = sa.text("""
    SELECT edition FROM ops.mail_outbox
    WHERE report = 'daily' AND business_date BETWEEN CAST(:day AS date) - 14 AND :day
    GROUP BY edition HAVING max(business_date) < :day ORDER BY edition
""")


def under_way(db: sa.Connection, choices: Choices) -> str:
    """What is running, and what is waiting for what."""
    batches = list(db.execute(_OPEN, {"most": MOST}))
    rows: list[tuple[object, ...]] = [_batch(row) for row in batches]
    if batches and (more := batches[0].batches - MOST) > 0:
        rows.append(("waiting", f"{more:,} more batches", None, cells.shorter("a worker")))
    rows += [("running", report(r.edition, r.day), r.started_at, cells.shorter(f"on {r.worker or 'this machine'}"))
             for r in db.execute(_REPORTS)]  # fmt: skip
    if unclaimed := db.scalar(_UNCLAIMED):
        rows.append(("waiting", files(unclaimed), None, cells.shorter("the metadata, or the next discovery")))
    rows += _due(db)
    head = ("State", "What", "Since", "Where, or what it waits for")
    return cells.card("In progress", head, rows, nothing="Nothing is running and nothing is waiting.")


def _batch(row: sa.Row) -> tuple[object, ...]:
    purpose = {"again": " to reprocess", "metadata": " to validate with new metadata"}.get(row.cause, "")
    attempt = f", attempt {row.attempt}" if row.attempt > 1 else ""
    where = f"{row.notebook} on {row.worker or 'this machine'}" if row.notebook else f"a worker{attempt}"
    state = "running" if row.notebook else "waiting"
    return state, named(row.files, row.key, purpose), row.started_at or row.created_at, cells.shorter(where)


def _due(db: sa.Connection) -> list[tuple[object, ...]]:
    """Yesterday's reports that have no mail yet, with the batches that are missing for that day."""
    day = business_day.today() - timedelta(days=1)
    if not (due := db.scalars(_DUE, {"day": day}).all()):
        return []
    batches = metrics.batches(db, Scope(day, day))
    hours: dict[int, list[str]] = defaultdict(list)
    for one in batches[batches["batch_state"] == "missing"].itertuples():
        hours[one.truck_id].append(f"{one.batch_hour:02d}:00")
    missing = "; ".join(f"truck {truck} ({', '.join(times)})" for truck, times in hours.items())
    return [("waiting", report(edition, day), None, cells.shorter(missing or "its scheduled time", 90))
            for edition in due]  # fmt: skip


def report(edition: str, day: date) -> str:
    """cfo report of Sun 22 Nov."""
    return f"{edition} report of {formatting.short_day(day, business_day.today())}"


def named(count: int, key: str | None, more: str) -> Cell | str:
    """A batch by the name of its file if it has one file, else by the number of files."""
    if count != 1 or key is None:
        return files(count) + more
    return Cell(cells.file_name(key).text + escape(more), html=True)


def files(count: int) -> str:
    """3 files."""
    return f"{count:,} file{'' if count == 1 else 's'}"
