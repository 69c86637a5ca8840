"""Whose work it is: an execution that was taken over, or is about to stop, gets no further than its next step.

Every claim of a workflow writes a new owner token beside it; a takeover clears it. Who no longer finds the own token
there writes nothing more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from dbos import DBOS
from dbos._context import current_owner_xid

from scheduler.runs.runner import NotebookFailedError
from t3lib import warehouse

AWAY_SECONDS = 1

stopping = threading.Event()
_OWNER = sa.text("SELECT owner_xid FROM dbos.workflow_status WHERE workflow_uuid = :workflow FOR SHARE")


class RelinquishedError(BaseException):
    """This execution no longer owns its workflow, or gave it back: whoever owns it now writes its end.

    No Exception, so that neither a retry nor the record of an error catches it."""


@contextmanager
def notebook(queue: str) -> Iterator[None]:
    """Run a notebook only while this execution owns its workflow and the worker is not about to stop."""
    if stopping.is_set():
        _give_back(queue)
    patiently()
    try:
        yield
    except NotebookFailedError:
        if stopping.is_set():
            _give_back(queue)
        raise


def patiently() -> None:
    """Wait out a restart or a lost network. Raises RelinquishedError when the workflow was taken over meanwhile."""
    while True:
        try:
            with warehouse.connect() as db:
                return hold(db)
        except sa.exc.OperationalError:
            if stopping.wait(AWAY_SECONDS):
                raise


def hold(db: sa.Connection) -> None:
    """Hold the workflow's ownership until the transaction ends. Raises RelinquishedError when it is another's."""
    if db.scalar(_OWNER, {"workflow": DBOS.workflow_id}) != current_owner_xid(DBOS.workflow_id):
        raise RelinquishedError("Another worker took this workflow over.")


def _give_back(queue: str) -> None:
    """Put the workflow back into the queue for another worker. Raises RelinquishedError."""
    # The queue may be closed already: the workflow is then taken over as soon as the seat is free.
    with suppress(Exception):
        DBOS.resume_workflow(DBOS.workflow_id, queue_name=queue)
    raise RelinquishedError("The worker stops.")
