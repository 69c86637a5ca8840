"""Which errors are retried, and why: an outage ends by itself; a bad file, a rule or a limit does not.

docs/operating.md shows both tables (tested)."""

import re

from scheduler.runs.runner import NotebookFailedError

ATTEMPTS = 3

# The module that raises or names it -> name of the error -> its cause, which may be over by the next attempt.
RAISED_BY = {
    "sqlalchemy.exc": {  # wraps what psycopg2 raises; warehouse.cursor turns psycopg's errors into it too
        "OperationalError": "the database is unreachable, restarts, is out of connections, or a lock was held too long",
        "InterfaceError": "the connection to the database was lost",
    },
    "psycopg2.errors": {  # named in the text of a pandas DatabaseError
        "SerializationFailure": "a concurrent transaction changed the same rows first",
        "DeadlockDetected": "two transactions waited for each other",
    },
    "obstore.exceptions": {
        "GenericError": "the bucket does not answer",
        "UnknownConfigurationKeyError": "the bucket does not answer (obstore's name for some outages)",
    },
    "t3lib.landing.listing": {"ListingError": "the bucket cannot be listed"},
    "t3lib.ingest.staging": {"StagingMissingError": "staged files were deleted: the stage before makes them again"},
    "scheduler.kernels.client": {"KernelStartError": "no kernel could be started: the machine is overloaded"},
    "scheduler.kernels.provisioner": {"KernelKilledError": "the kernel was killed while it started"},
    "nbclient.exceptions": {"DeadKernelError": "the kernel was killed, by hand or because memory ran out"},
    "scheduler.runs.papermill_engine": {"RunStoppedError": "the worker was stopped or cut off"},
    # jupyter_client raises it when a kernel does not reply.
    "builtins": {"TimeoutError": "a service did not answer in time"},
}
# The same of errors that say a limit was reached, which a retry would reach again. They take precedence, also where a
# driver raises one of the above for them.
LIMITS_BY = {
    "nbclient.exceptions": {"CellTimeoutError": "a cell took longer than `cell_seconds`"},
    "scheduler.runs.papermill_engine": {
        "RunTimeoutError": "the cells of a notebook took longer than `run_seconds` in all"
    },
    "builtins": {"MemoryError": "a cell needed more memory than there is"},
    "psycopg2.errors": {
        "ProgramLimitExceeded": "a statement is larger than Postgres allows",
        "StatementTooComplex": "a statement is nested deeper than Postgres allows",
        "TooManyColumns": "a table has more columns than Postgres allows",
        "TooManyArguments": "a call has more arguments than Postgres allows",
    },
}
RETRIED, NOT_RETRIED = (
    {name: why for errors in owners.values() for name, why in errors.items()} for owners in (RAISED_BY, LIMITS_BY)
)
# How pandas and SQLAlchemy name the driver's error that they wrap.
_WRAPPED = re.compile(r"\(psycopg2\.(?:\w+\.)*(\w+)\)")


def is_temporary(error: BaseException) -> bool:
    """Whether the error may be over by the next attempt."""
    if isinstance(error, NotebookFailedError):
        name, words = error.cause, error.words
    else:
        name, words = type(error).__name__, str(error)
    names = {name, *_WRAPPED.findall(words)}
    return bool(names & RETRIED.keys()) and not names & NOT_RETRIED.keys()
