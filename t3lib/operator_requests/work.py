"""The worker's side of the desk: what waits is done, oldest first, by one worker at a time."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.operator_requests import rows
from t3lib.operator_requests.actions import ACTIONS, Action, already
from t3lib.operator_requests.rows import Request
from t3lib.problems import RefusedError, explain
from t3lib.warehouse.db import locks

MOST_ATTEMPTS = 3
_log = logging.getLogger(__name__)
# Advice for people at a terminal: no use to people at a page.
_TERMINAL = re.compile(r" \((?:--|`t3 )[^)]*\)")

_WAITING = sa.text("SELECT EXISTS (SELECT FROM ops.request WHERE state = 'waiting')")


def carry_out(actions: Mapping[str, Action] = ACTIONS) -> int:
    """Do what waits; returns how many requests ended. Any number of workers may call this at any time.

    One of them sits at the desk, so requests are done in the order in which they came. A request whose worker died
    is taken up again: what it had done already is found by its trace and not done twice."""
    ended = 0
    with warehouse.connect() as guard:
        if not guard.scalar(_WAITING) or not locks.alone_at_once(guard, locks.DESK):
            return 0
        while (request_id := _begin()) is not None:
            ended += _see_through(request_id, actions)
    return ended


def _begin() -> int | None:
    """The oldest request that waits; that it was tried is known even if this worker dies in it."""
    with warehouse.connect() as db:
        return rows.begin(db)


def _see_through(request_id: int, actions: Mapping[str, Action]) -> bool:
    with warehouse.connect() as db:
        request = rows.hold(db, request_id)
        if request is None:
            return False
        try:
            with db.begin_nested():
                state, outcome = "done", _do(db, request, actions)
        except Exception as error:
            state, outcome = "failed", _words(request, error)
        rows.end(db, request_id, state, outcome)
        return True


def _do(db: sa.Connection, request: Request, actions: Mapping[str, Action]) -> str:
    """What was asked for. Raises RefusedError, and whatever the work raises."""
    read = rows.checked(request.kind, request.parameters, request.asked_by, request.why)
    request = replace(request, **read)
    if request.kind not in actions:
        raise RefusedError(f"This worker does not do {request.kind!r}.")
    if request.attempts > 1 and already(db, request):
        return "Done, though the worker that did it ended before it could say so."
    if request.attempts > MOST_ATTEMPTS:
        raise RefusedError(f"{MOST_ATTEMPTS} workers ended in it, so it is left: look at their logs.")
    return actions[request.kind](db, request)


def _words(request: Request, error: Exception) -> str:
    known = explain(error)
    if known is None:
        _log.error("request %s (%s) failed", request.request_id, request.kind, exc_info=error)
    return _TERMINAL.sub("", known or f"This could not be done ({type(error).__name__}); the worker's log says more.")
