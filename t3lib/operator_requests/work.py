"""The worker's side: carry out waiting requests, oldest first, one worker at a time."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa

from t3lib import warehouse
from t3lib.operator_requests import rows
from t3lib.operator_requests.actions import ACTIONS, Action, already_done
from t3lib.operator_requests.rows import Request
from t3lib.problems import RefusedError, explain
from t3lib.warehouse.db import locks

MOST_ATTEMPTS = 3
_log = logging.getLogger(__name__)
# Advice for people at a terminal, left out on a page.
_TERMINAL = re.compile(r" \((?:--|`t3 )[^)]*\)")

_WAITING = sa.text("SELECT EXISTS (SELECT FROM ops.request WHERE state = 'waiting')")


def carry_out(actions: Mapping[str, Action] = ACTIONS) -> int:
    """Carry out the waiting requests; returns how many ended. Any number of workers may call this at any time.

    One worker at a time holds the lock, so requests are done in their order. A request whose worker died is retried;
    if its trace shows that it was done, it is not done twice."""
    ended = 0
    with warehouse.connect() as guard:
        if not guard.scalar(_WAITING) or not locks.try_acquire(guard, locks.REQUESTS):
            return 0
        while (request_id := _begin()) is not None:
            ended += _carry_out_one(request_id, actions)
    return ended


def _begin() -> int | None:
    """The oldest waiting request; the attempt is committed first, so that it counts even if this worker dies."""
    with warehouse.connect() as db:
        return rows.begin(db)


def _carry_out_one(request_id: int, actions: Mapping[str, Action]) -> bool:
    with warehouse.connect() as db:
        request = rows.lock(db, request_id)
        if request is None:
            return False
        try:
            with db.begin_nested():
                state, outcome = "done", _do(db, request, actions)
        except Exception as error:
            state, outcome = "failed", _outcome_of(request, error)
        rows.end(db, request_id, state, outcome)
        return True


def _do(db: sa.Connection, request: Request, actions: Mapping[str, Action]) -> str:
    """Do one request. Raises RefusedError, and whatever the work raises."""
    read = rows.checked(request.kind, request.parameters, request.asked_by, request.why)
    request = replace(request, **read)
    if request.kind not in actions:
        raise RefusedError(f"This worker cannot carry out {request.kind!r}.")
    if request.attempts > 1 and already_done(db, request):
        return "Done: the worker that did it died before it could record that."
    if request.attempts > MOST_ATTEMPTS:
        raise RefusedError(
            f"{MOST_ATTEMPTS} workers died during this request, so it is not retried: look at their logs."
        )
    return actions[request.kind](db, request)


def _outcome_of(request: Request, error: Exception) -> str:
    known = explain(error)
    if known is None:
        _log.error("request %s (%s) failed", request.request_id, request.kind, exc_info=error)
    return _TERMINAL.sub("", known or f"This could not be done ({type(error).__name__}); the worker's log says more.")
