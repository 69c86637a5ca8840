"""The fence: an execution whose workflow was taken over, or whose worker stops, gets no further than its next step.

Every claim of a workflow stores a new owner token with it; a takeover clears the token. An execution that no longer
finds its own token writes nothing more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa
from dbos import DBOS
from dbos._context import current_owner_xid

from scheduler.runs.runner import NotebookFailedError
from t3lib import warehouse

RETRY_SECONDS = 1

stopping = threading.Event()
_OWNER = sa.text("SELECT owner_xid FROM dbos.workflow_status WHERE workflow_uuid = :workflow FOR SHARE")


class RelinquishedError(BaseException):
    """This execution no longer owns its workflow, or gave it back: its next owner finishes it.

    Not an Exception, so that no retry and no error handler catches it."""


@contextmanager
def notebook(queue: str) -> Iterator[None]:
    """Run a notebook only while this execution owns its workflow and the worker is not about to stop."""
    if stopping.is_set():
        _give_back(queue)
    wait_until_owned()
    try:
        yield
    except NotebookFailedError:
        if stopping.is_set():
            _give_back(queue)
        raise


def wait_until_owned() -> None:
    """Wait until the database answers. Raises RelinquishedError when the workflow was taken over meanwhile."""
    while True:
        try:
            with warehouse.connect() as db:
                return lock_ownership(db)
        except sa.exc.OperationalError:
            if stopping.wait(RETRY_SECONDS):
                raise


def lock_ownership(db: sa.Connection) -> None:
    """Lock the workflow's owner until the transaction ends. Raises RelinquishedError when another worker owns it."""
    workflow = _workflow()
    if db.scalar(_OWNER, {"workflow": workflow}) != current_owner_xid(workflow):
        raise RelinquishedError("Another worker took this workflow over.")


def _workflow() -> str:
    """The id of the workflow whose step runs in this thread."""
    if (workflow := DBOS.workflow_id) is None:
        raise RuntimeError("Only a step of a workflow has an owner to check.")
    return workflow


def _give_back(queue: str) -> None:
    """Put the workflow back into the queue for another worker. Raises RelinquishedError."""
    # The queue may be closed already: the workflow is then taken over as soon as the lease is free.
    with suppress(Exception):
        DBOS.resume_workflow(_workflow(), queue_name=queue)
    raise RelinquishedError("The worker stops.")
