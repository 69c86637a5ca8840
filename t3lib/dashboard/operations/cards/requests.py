"""The requests of operators and their outcomes."""

from datetime import UTC, datetime, timedelta
from html import escape

import sqlalchemy as sa

from t3lib import operator_requests
from t3lib.dashboard.html import paging
from t3lib.dashboard.operations import cells, lists
from t3lib.dashboard.operations.choices import STATES, Choices
from t3lib.operator_requests import Request

SHOWN_AFTER_END = timedelta(seconds=20)
_HEAD = ("State", "Asked", "By", "What", "Why", "Outcome")


def card(db: sa.Connection, choices: Choices) -> str:
    """The newest requests of this choice, each with who, why and its outcome."""
    chosen = {"day": choices.day} if choices.day else {"since": choices.bound["since"]}
    chosen |= {"truck": choices.truck, "states": STATES[choices.state][1]}
    shown = paging.part(choices.pages, "requests", lists.MOST, operator_requests.count(db, **chosen))
    found = operator_requests.newest(db, shown.most, skip=shown.skip, **chosen)
    return cells.card(
        "Requests of operators",
        _HEAD,
        map(_row, found),
        nothing="Nobody asked for anything in this choice.",
        aside="a worker carries them out within seconds",
        foot=lists.foot(choices, shown),
    )


def latest_status(db: sa.Connection, request_id: int | None) -> str:
    """The state of this visitor's latest request, until shortly after it ended."""
    one = None if request_id is None else operator_requests.read(db, request_id)
    if one is None or (one.finished_at and datetime.now(UTC) - one.finished_at > SHOWN_AFTER_END):
        return ""
    tone = {"done": "good", "failed": "bad"}.get(one.state, "waits")
    return f'<p class="{tone}" role="status"><b>{escape(one.words)}</b> {escape(_outcome(one))}</p>'


def _row(one: Request) -> tuple[object, ...]:
    state = "running" if one.state == "waiting" and one.started_at else one.state
    texts = (cells.shorter(text, most) for text, most in ((one.words, 120), (one.why, 80), (_outcome(one), 160)))
    return state, one.asked_at, cells.shorter(one.asked_by, 30), *texts


def _outcome(one: Request) -> str:
    return one.outcome or ("being done" if one.started_at else "waits for a worker")
