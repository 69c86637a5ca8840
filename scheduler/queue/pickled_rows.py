"""Rows of the queue that an earlier version pickled: never read; waiting workflows are queued again from their id."""

import json
import re
from typing import Any

import sqlalchemy as sa

from scheduler.queue.serializer import NAME, JsonSerializer, WorkFailedError
from t3lib import warehouse

_INGEST = re.compile(r"ingest:(.+):\d+")
_REPORT = re.compile(r"report:daily:(\d{4}-\d\d-\d\d):(\w+)(?::(.+))?")
_ARCHIVE = re.compile(r"archive:[\d:T-]+")

_TABLE = sa.text("SELECT to_regclass('dbos.workflow_input')")
_OTHER_FORMAT = sa.text("""
    SELECT workflow_uuid, name, status IN ('PENDING', 'ENQUEUED', 'DELAYED') AS waits FROM dbos.workflow_status
    WHERE serialization IS DISTINCT FROM :ours
    ORDER BY workflow_uuid
    FOR UPDATE
""")
_CLEAR = sa.text("""
    WITH input AS (DELETE FROM dbos.workflow_input WHERE workflow_uuid = ANY(:ids)),
    output AS (DELETE FROM dbos.workflow_output WHERE workflow_uuid = ANY(:ids)),
    steps AS (DELETE FROM dbos.operation_outputs WHERE workflow_uuid = ANY(:ids))
    UPDATE dbos.workflow_status
    SET serialization = :ours, inputs = NULL, output = NULL, error = CASE WHEN status = 'ERROR' THEN :error END
    WHERE workflow_uuid = ANY(:ids)
""")
_SET_INPUT = sa.text("INSERT INTO dbos.workflow_input (workflow_uuid, inputs) VALUES (:id, :inputs)")
_FAIL = sa.text("UPDATE dbos.workflow_status SET status = 'ERROR', error = :error WHERE workflow_uuid = :id")


def requeue() -> int:
    """Rewrite every row of an earlier version in this one's format; returns how many workflows waited or ran.

    Their steps start over, which is safe for every stage. A workflow whose id does not give its arguments ends with
    an error; an ended workflow stays ended."""
    error = JsonSerializer().serialize(
        WorkFailedError("WorkFailedError", "This workflow failed under an earlier version.")
    )
    with warehouse.connect() as db:
        found = db.execute(_OTHER_FORMAT, {"ours": NAME}).all() if db.scalar(_TABLE) else []
        if not found:
            return 0
        db.execute(_CLEAR, {"ids": [row.workflow_uuid for row in found], "ours": NAME, "error": error})
        waiting = [(row.workflow_uuid, _arguments(row.name, row.workflow_uuid)) for row in found if row.waits]
        for workflow, arguments in waiting:
            if arguments is None:
                db.execute(_FAIL, {"id": workflow, "error": error})
            else:
                db.execute(_SET_INPUT, {"id": workflow, "inputs": json.dumps({"args": arguments, "kwargs": {}})})
    return len(waiting)


def _arguments(name: str, workflow: str) -> list[Any] | None:
    """A workflow's arguments, read from its id; None where the id does not contain them. Whether a correction may be
    sent at once is not in the id, so the correction waits for an operator."""
    if name == "ingest" and (found := _INGEST.fullmatch(workflow)):
        return [found[1]]
    if name == "report" and (found := _REPORT.fullmatch(workflow)):
        return [found[1], found[2], found[3] is not None and not found[3].startswith("request-")]
    return [] if name == "archive" and _ARCHIVE.fullmatch(workflow) else None
