"""The requests of operators and their outcomes."""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import sqlalchemy as sa

from t3lib import operator_requests
from t3lib.dashboard.html import paging
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import STATES, Choices
from t3lib.operator_requests import Request

SHOWN_AFTER_END = timedelta(seconds=20)
_HEAD = ("State", "Requested", "By", "What", "Why", "Outcome")


def card(db: sa.Connection, choices: Choices) -> str:
    """The newest requests of this choice."""
    chosen: dict[str, Any] = {"day": choices.day} if choices.day else {"since": choices.bound["since"]}
    chosen |= {"truck": choices.truck, "states": STATES[choices.state][1]}
    shown = paging.part(choices.pages, "requests", lists.MOST, operator_requests.count(db, **chosen))
    found = operator_requests.newest(db, shown.most, skip=shown.skip, **chosen)
    return cells.card(
        "Operator requests",
        _HEAD,
        map(_row, found),
        nothing="No requests in this choice.",
        aside="a worker carries them out within seconds",
        foot=lists.foot(choices, shown),
    )


def latest_status(db: sa.Connection, request_id: int | None) -> str:
    """The status of this visitor's latest request, until shortly after it ended."""
    request = None if request_id is None else operator_requests.read(db, request_id)
    if request is None or (request.finished_at and datetime.now(UTC) - request.finished_at > SHOWN_AFTER_END):
        return ""
    tone = {"done": "good", "failed": "bad"}.get(request.state, "waits")
    return f'<p class="{tone}" role="status"><b>{escape(request.words)}</b> {escape(_outcome(request))}</p>'


def _row(request: Request) -> tuple[object, ...]:
    state = "running" if request.state == "waiting" and request.started_at else request.state
    what, why, outcome = cells.shorter(request.words, 120), cells.shorter(request.why, 80), _outcome(request)
    return state, request.asked_at, cells.shorter(request.asked_by, 30), what, why, cells.shorter(outcome, 160)


def _outcome(request: Request) -> str:
    return request.outcome or ("in progress" if request.started_at else "waiting for a worker")
