"""The rows of ops.request: entered by people, ended by a worker, never changed afterwards."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from t3lib.operator_requests import signature
from t3lib.operator_requests.kinds import KINDS
from t3lib.problems import RefusedError

LONGEST_NAME, LONGEST_WHY, LONGEST_OUTCOME = 80, 500, 1000
UNREADABLE = "unreadable"

_INSERT = sa.text("""
    INSERT INTO ops.request (kind, parameters, asked_by, why)
    VALUES (:kind, CAST(:parameters AS jsonb), :asked_by, :why)
    RETURNING request_id
""")
_REQUEST = """
    SELECT request_id, kind, CAST(parameters AS text) AS parameters, asked_by, why, asked_at, request.state,
           started_at, attempts, request.finished_at, outcome
    FROM ops.request
"""
# A request belongs to a truck or a day by its parameters, or by the file that it names.
_CHOSEN = """
    LEFT JOIN LATERAL (
        SELECT truck_id, batch_date FROM ops.source_file AS file
        WHERE file.key = parameters ->> 'key'
           OR file.file_id = CASE WHEN parameters ->> 'file' ~ '^[0-9]{1,18}$'
                                  THEN CAST(parameters ->> 'file' AS bigint) END
        ORDER BY file_id DESC LIMIT 1
    ) AS file ON true
    WHERE (CAST(:since AS timestamptz) IS NULL OR asked_at >= :since)
      AND (CAST(:states AS text[]) IS NULL OR state = ANY(:states))
      AND (CAST(:truck AS integer) IS NULL OR truck_id = :truck OR parameters ->> 'truck' = CAST(:truck AS text))
      AND (CAST(:day AS text) IS NULL OR batch_date = CAST(:day AS date) OR parameters ->> 'day' = :day
           OR :day BETWEEN parameters ->> 'first' AND parameters ->> 'last')
"""
_NEWEST = sa.text(_REQUEST + _CHOSEN + " ORDER BY request_id DESC LIMIT :limit OFFSET :skip")
_COUNT = sa.text("SELECT count(*) FROM ops.request" + _CHOSEN)
_BY_ID = sa.text(_REQUEST + " WHERE request_id = :request_id")
_BEGIN = sa.text("""
    UPDATE ops.request SET started_at = coalesce(started_at, now()), attempts = attempts + 1
    WHERE request_id = (SELECT request_id FROM ops.request WHERE state = 'waiting'
                        ORDER BY request_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING request_id
""")
_LOCK = sa.text(_REQUEST + " WHERE request_id = :request_id AND state = 'waiting' FOR UPDATE SKIP LOCKED")
_END = sa.text("""
    UPDATE ops.request SET state = :state, outcome = :outcome, finished_at = clock_timestamp()
    WHERE request_id = :request_id
""")


@dataclass(frozen=True)
class Request:
    """One request of an operator. `outcome` is a sentence about its end."""

    request_id: int
    kind: str
    parameters: dict[str, Any]
    asked_by: str
    why: str
    asked_at: datetime
    state: str
    started_at: datetime | None
    attempts: int
    finished_at: datetime | None
    outcome: str | None

    @property
    def words(self) -> str:
        """The request as a sentence."""
        kind = KINDS.get(self.kind)
        if kind is None:
            return self.kind
        try:
            return kind.words(self.parameters)
        except Exception:  # a row that no page of this version wrote
            return kind.title


def enter(
    db: sa.Connection, kind: str, parameters: dict[str, Any], *, asked_by: str, why: str, visitor: str = ""
) -> int:
    """Enter a request; returns its id. Raises RefusedError for what is missing or cannot be read.

    visitor: the statement that the page's server signed for this visitor; every role but the owner needs it."""
    row = checked(kind, parameters, asked_by, why)
    if visitor:
        signature.sign(db, visitor)
    return db.scalar(_INSERT, {**row, "parameters": json.dumps(row["parameters"])})


def checked(kind: str, parameters: dict[str, Any], asked_by: str, why: str) -> dict[str, Any]:
    """The request as it is stored. Raises RefusedError."""
    if kind not in KINDS:
        raise RefusedError(f"Unknown request {kind[:40]!r}: choose one of {', '.join(KINDS)}.")
    given = KINDS[kind].checked(parameters)
    name = _one_line(asked_by, LONGEST_NAME, "Give your name: it is kept with the request.")
    reason = _one_line(why, LONGEST_WHY, "Say why: the reason is kept with the request.")
    return {"kind": kind, "parameters": given, "asked_by": name, "why": reason}


def newest(
    db: sa.Connection,
    limit: int = 20,
    *,
    skip: int = 0,
    since: datetime | None = None,
    day: date | None = None,
    truck: int | None = None,
    states: Collection[str] = (),
) -> list[Request]:
    """The newest requests, latest first: since a moment, of a day, of a truck, in one of some states."""
    wanted = _chosen(since, day, truck, states) | {"limit": limit, "skip": skip}
    return [_read(row) for row in db.execute(_NEWEST, wanted).mappings()]


def count(
    db: sa.Connection,
    *,
    since: datetime | None = None,
    day: date | None = None,
    truck: int | None = None,
    states: Collection[str] = (),
) -> int:
    """How many requests those are."""
    return int(db.scalar(_COUNT, _chosen(since, day, truck, states)) or 0)


def read(db: sa.Connection, request_id: int) -> Request | None:
    """One request."""
    row = db.execute(_BY_ID, {"request_id": request_id}).mappings().one_or_none()
    return _read(row) if row else None


def begin(db: sa.Connection) -> int | None:
    """Count another attempt at the oldest waiting request; returns its id."""
    return db.scalar(_BEGIN)


def lock(db: sa.Connection, request_id: int) -> Request | None:
    """That request, its row locked until the transaction ends; None if it has ended or another has the lock."""
    row = db.execute(_LOCK, {"request_id": request_id}).mappings().one_or_none()
    return _read(row) if row else None


def end(db: sa.Connection, request_id: int, state: str, outcome: str) -> None:
    """Record the end of a request: 'done' or 'failed'."""
    db.execute(_END, {"request_id": request_id, "state": state, "outcome": outcome[:LONGEST_OUTCOME]})


def _read(row: sa.RowMapping) -> Request:
    """A row of the table; parameters that cannot be read (endless numbers, lists a thousand deep) become UNREADABLE."""
    try:
        parameters = json.loads(row["parameters"])
    except (ValueError, RecursionError):
        parameters = {UNREADABLE: True}
    return Request(**{**row, "parameters": parameters})


def _chosen(since: datetime | None, day: date | None, truck: int | None, states: Collection[str]) -> dict[str, Any]:
    return {"since": since, "day": day and day.isoformat(), "truck": truck, "states": list(states) or None}


def _one_line(text: str, longest: int, missing: str) -> str:
    found = " ".join(text.split())
    if not found:
        raise RefusedError(missing)
    if len(found) > longest:
        raise RefusedError(f"{found[:20]!r} ... is longer than {longest} characters: shorten it.")
    return found
